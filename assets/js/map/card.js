// The small card at a symbol: a resource's name, kind, what is free; or what a group holds. Built from text nodes only.
import { Popup } from 'maplibre-gl'

const number = value => value.toLocaleString(document.documentElement.lang)

function line (text, className = '') {
  const element = document.createElement('div')
  element.textContent = text
  if (className) element.className = className
  return element
}

export class Card {
  constructor (map, words, detail) {
    this.map = map
    this.words = words
    this.detail = detail
    this.popup = null
    this.isPinned = false
  }

  // feature: of the tiles. isPinned: stays until closed, with its buttons; else it goes with the pointer.
  open (feature, lngLat, { isPinned = false, onList = null, onZoom = null } = {}) {
    if (this.isPinned && !isPinned) return
    this.close()
    this.isPinned = isPinned
    const content = feature.properties.count ? this.group(feature, { isPinned, onList, onZoom }) : this.resource(feature)
    this.popup = new Popup({ closeButton: isPinned, closeOnClick: isPinned, maxWidth: '280px', offset: 14, focusAfterOpen: isPinned })
      .setLngLat(lngLat).setDOMContent(content).addTo(this.map)
    this.popup.on('close', () => { this.isPinned = false })
  }

  close (pinnedToo = true) {
    if (this.isPinned && !pinnedToo) return
    this.popup?.remove()
    this.popup = null
  }

  resource ({ id, properties: it }) {
    const box = document.createElement('div')
    box.className = 'gj-card'
    const name = document.createElement('a')
    name.href = this.detail.replace('/0/', `/${id}/`)
    name.textContent = it.name || ''
    const free = it.total ? ` · ${number(it.free)} / ${number(it.total)}` : ''
    box.append(name, line(`${this.words.kinds[it.kind] || ''} · ${this.words.tones[it.tone] || ''}${free}`))
    if (it.is_blurred) box.append(line(this.words.blurred, 'gj-card-note'))
    return box
  }

  group ({ properties: it }, { isPinned, onList, onZoom }) {
    const box = document.createElement('div')
    box.className = 'gj-card'
    const title = document.createElement('strong')
    title.textContent = (it.is_stack ? this.words.stack : this.words.group).replace('%(count)s', number(it.count))
    box.append(title)
    for (const kind of Object.keys(this.words.kinds)) {
      if (it[kind]) box.append(line(`${this.words.kinds[kind]} ${number(it[kind])}`))
    }
    box.append(line(this.words.open.replace('%(count)s', number(it.open)), 'gj-card-note'))
    if (isPinned) for (const [word, act] of [[this.words.list, onList], [this.words.zoom, onZoom]]) {
      if (!act) continue
      const button = document.createElement('button')
      button.type = 'button'
      button.className = 'btn btn-sm'
      button.textContent = word
      button.addEventListener('click', () => { this.close(); act() })
      box.append(button)
    }
    return box
  }
}
