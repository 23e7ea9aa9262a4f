// The print button appears where a script can print; without it the browser's own menu does.
document.querySelectorAll('[data-print]').forEach(button => {
  button.hidden = false
  button.addEventListener('click', () => window.print())
})
