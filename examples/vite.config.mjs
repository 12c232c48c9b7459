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
        'around/browser-streaming',
        'around/live-metrics',
        'around/frontend-integration',
        'around/run-progress-react',
        'around/run-progress-vue',
        'seed-003/chat',
      ].map((page) => `${page}.html`),
    },
    emptyOutDir: true,
  },
}
