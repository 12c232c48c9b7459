// npx vite examples --open /around/live-metrics.html
import vue from '@vitejs/plugin-vue'

export default {
  plugins: [
    vue(),
    {
      // The component of the source document stands alone in its block; a page needs it as an export.
      name: 'export-live-metrics',
      transform: {
        order: 'pre',
        filter: { id: /LiveMetrics\.jsx$/ },
        handler: (code) => ({ code: `${code}\nexport default LiveMetrics\n`, map: { mappings: '' } }),
      },
    },
  ],
  build: {
    rolldownOptions: {
      input: [
        'browser-streaming',
        'live-metrics',
        'frontend-integration',
        'run-progress-react',
        'run-progress-vue',
      ].map((page) => `around/${page}.html`),
    },
    emptyOutDir: true,
  },
}
