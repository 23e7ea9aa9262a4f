// "@" in the box offers the people of the conversation; arrows and Enter choose, Escape gives up.
export function callByName (box, list, url) {
  let people = null
  let at = -1
  let chosen = 0

  const close = () => { list.hidden = true; at = -1; box.removeAttribute('aria-activedescendant') }
  const fitting = () => {
    const typed = box.value.slice(at + 1, box.selectionStart).toLowerCase()
    return (people || []).filter(person => person.name.toLowerCase().includes(typed)).slice(0, 8)
  }
  const take = person => {
    const end = box.selectionStart
    box.setRangeText(`@${person.name} `, at, end, 'end')
    close()
    box.focus()
  }
  const show = () => {
    const found = fitting()
    if (!found.length) { list.hidden = true; return }
    chosen = Math.min(chosen, found.length - 1)
    list.replaceChildren(...found.map((person, i) => {
      const item = document.createElement('li')
      item.setAttribute('role', 'option')
      item.id = `${box.id}-person-${i}`
      item.setAttribute('aria-selected', String(i === chosen))
      item.textContent = `${person.name} · ${person.organisation}`
      item.addEventListener('mousedown', event => { event.preventDefault(); take(person) })
      return item
    }))
    box.setAttribute('aria-activedescendant', `${box.id}-person-${chosen}`)
    list.hidden = false
  }

  box.addEventListener('input', async () => {
    const before = box.value.slice(0, box.selectionStart)
    const match = before.match(/@([^@\n]{0,30})$/)
    if (!match) { close(); return }
    at = before.length - match[0].length
    chosen = 0
    if (!people) {
      people = []
      try { people = (await (await fetch(url, { credentials: 'same-origin' })).json()).people } catch { people = null; return }
    }
    if (at >= 0) show()
  })
  box.addEventListener('keydown', event => {
    if (list.hidden) return
    const found = fitting()
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      chosen = (chosen + (event.key === 'ArrowDown' ? 1 : found.length - 1)) % found.length
      show()
    } else if ((event.key === 'Enter' && !event.ctrlKey && !event.metaKey) || event.key === 'Tab') {
      take(found[chosen])
    } else if (event.key === 'Escape') {
      close()
    } else {
      return
    }
    event.preventDefault()
  })
  box.addEventListener('blur', () => setTimeout(close, 150))
}
