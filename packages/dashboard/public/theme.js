// Runs before the first paint, as a file of its own because the content security policy allows no inline script.
;(() => {
  try {
    const theme = localStorage.getItem('llm-eval.theme')
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
  } catch {
    // Storage may be switched off; the system's theme applies then.
  }
})()
