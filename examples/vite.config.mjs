// npx vite examples --open /around/live-metrics.html
export default {
  plugins: [
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
    rolldownOptions: { input: ['around/browser-streaming.html', 'around/live-metrics.html'] },
    emptyOutDir: true,
  },
}
