// The face of a duct bank, drawn from the rows of the form as they are typed; a click on a bore goes to its row.
const SVG = 'http://www.w3.org/2000/svg'
const CELL = 56
const LETTERS = { empty: 'E', room_left: 'P', full: 'F', not_usable: 'X', none: '' }

const element = (name, attributes, text = '') => {
  const node = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  node.textContent = text
  return node
}

function boreOf (row) {
  const value = name => row.querySelector(`[name$="-${name}"]`)?.value.trim() ?? ''
  const isGone = row.querySelector('[name$="-DELETE"]')?.checked
  const share = Number(value('occupancy_pct') || 0)
  const occupancy = value('blocked_at_m') !== ''
    ? 'not_usable'
    : share >= 100 ? 'full' : share > 0 || Number(value('cable_count')) > 0 ? 'room_left' : 'empty'
  return { row: Number(value('row')), column: Number(value('column')), label: value('label'), occupancy, isGone, node: row }
}

function draw (holder, group) {
  const placed = [...group.querySelectorAll('.gj-pools [data-row]')].map(boreOf)
    .filter(bore => bore.row > 0 && bore.column > 0 && bore.row <= 20 && bore.column <= 40 && !bore.isGone)
  const size = name => Number(document.querySelector(`[name=face_${name}s]`)?.value) || 0
  const rows = Math.min(20, Math.max(size('row'), ...placed.map(bore => bore.row), 0))
  const columns = Math.min(40, Math.max(size('column'), ...placed.map(bore => bore.column), 0))
  holder.hidden = !rows || !columns
  if (holder.hidden) return
  const [width, height] = [columns * CELL, rows * CELL]
  const svg = element('svg', { class: 'gj-face', viewBox: `0 0 ${width} ${height}`, width, height, 'aria-hidden': 'true' })
  for (let row = 1; row <= rows; row++) {
    for (let column = 1; column <= columns; column++) {
      const bore = placed.find(each => each.row === row && each.column === column)
      const at = { cx: (column - 0.5) * CELL, cy: (row - 0.5) * CELL }
      const circle = element('circle', { ...at, r: CELL * 0.4, class: `gj-bore gj-bore-${bore?.occupancy ?? 'none'}` })
      svg.append(circle)
      if (!bore) continue
      circle.addEventListener('click', () => bore.node.querySelector('[name$="-label"]').focus())
      svg.append(element('text', { x: at.cx, y: at.cy, dy: -2, class: 'gj-face-letter' }, LETTERS[bore.occupancy]))
      svg.append(element('text', { x: at.cx, y: at.cy, dy: 13, class: 'gj-face-letter gj-face-letter-small' }, bore.label))
    }
  }
  holder.replaceChildren(svg)
}

/** Every [data-duct-face] is drawn now and whenever a row of its group, or the size of the face, changes. */
export function drawFaces () {
  for (const holder of document.querySelectorAll('[data-duct-face]')) {
    const group = holder.closest('[data-rows]')
    const redraw = () => draw(holder, group)
    group.addEventListener('input', redraw)
    group.addEventListener('rowadded', redraw)
    document.querySelectorAll('[name=face_rows], [name=face_columns]').forEach(field => field.addEventListener('input', redraw))
    redraw()
  }
}
