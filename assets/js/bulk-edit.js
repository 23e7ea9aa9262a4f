// Changing many: touching a value ticks its line, so that nobody fills in what then does not count.
document.querySelectorAll('[data-bulk-edit] .gj-bulk-row').forEach(row => {
  const tick = row.querySelector('.gj-bulk-tick input')
  row.querySelector('.gj-bulk-controls').addEventListener('input', () => { tick.checked = true })
})
