// The own list: tick a page, tick all that was found, and say how many are chosen. Without it the boxes work one by one.
const form = document.querySelector('[data-bulk]')

function count (boxes, all, label, total) {
  const chosen = all?.checked ? total : boxes.filter(box => box.checked).length
  label.textContent = chosen === 0 ? '' : chosen === 1 ? label.dataset.one : label.dataset.many.replace('{n}', chosen)
}

if (form) {
  const boxes = [...form.querySelectorAll('input[name=pk]')]
  const page = form.querySelector('[data-bulk-page]')
  const all = form.querySelector('[data-bulk-all]')
  const label = form.querySelector('[data-bulk-count]')
  const refresh = () => {
    if (!label) return
    count(boxes, all, label, Number(label.dataset.total))
    boxes.forEach(box => { box.disabled = Boolean(all?.checked) })
    if (page) {
      page.disabled = Boolean(all?.checked)
      page.checked = boxes.length > 0 && boxes.every(box => box.checked)
    }
  }
  page?.addEventListener('change', () => boxes.forEach(box => { box.checked = page.checked }))
  form.addEventListener('change', refresh)
  refresh()
}
