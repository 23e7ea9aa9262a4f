// Symbols of the maps: the shape says the kind, the colour how much is free, a dashed edge that the place is blurred.
import { TONES } from './basemap.js'

const SIZE = 22 // CSS pixels

function polygon (corners) {
  return context => {
    context.beginPath()
    corners.forEach(([x, y], index) => (index ? context.lineTo(x, y) : context.moveTo(x, y)))
    context.closePath()
  }
}

const circle = context => { context.beginPath(); context.arc(11, 11, 7.5, 0, 2 * Math.PI) }

const SHAPES = {
  tower: polygon([[11, 2.5], [19.5, 18.5], [2.5, 18.5]]),
  duct: circle,
  cable: polygon([[11, 2], [20, 11], [11, 20], [2, 11]]),
  room: polygon([[4, 4], [18, 4], [18, 18], [4, 18]]),
  demand: polygon([[11, 19.5], [2.5, 3.5], [19.5, 3.5]])
}

function draw (shape, colour, isBlurred, ratio) {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = SIZE * ratio
  const context = canvas.getContext('2d')
  context.scale(ratio, ratio)
  shape(context)
  context.lineJoin = 'round'
  context.globalAlpha = isBlurred ? 0.45 : 1
  context.fillStyle = colour
  context.fill()
  context.globalAlpha = 1
  context.strokeStyle = '#fff'
  context.lineWidth = 3
  if (!isBlurred) context.stroke()
  context.lineWidth = 1.5
  context.strokeStyle = isBlurred ? colour : 'rgba(20, 24, 30, 0.75)'
  context.setLineDash(isBlurred ? [3, 2] : [])
  context.stroke()
  return context.getImageData(0, 0, canvas.width, canvas.height)
}

// Adds "tower-free", "tower-free-blurred", … to the map; call it on load.
export function addMarkers (map) {
  const ratio = Math.min(3, Math.ceil(window.devicePixelRatio || 1) + 1)
  for (const [kind, shape] of Object.entries(SHAPES)) {
    for (const [tone, colour] of Object.entries(TONES)) {
      for (const isBlurred of [false, true]) {
        const name = `${kind}-${tone}${isBlurred ? '-blurred' : ''}`
        if (!map.hasImage(name)) map.addImage(name, draw(shape, colour, isBlurred, ratio), { pixelRatio: ratio })
      }
    }
  }
}

// The expression that names a feature's symbol from its kind, tone and is_blurred.
export const MARKER = ['concat',
  ['match', ['coalesce', ['get', 'kind'], ''], Object.keys(SHAPES), ['get', 'kind'], 'duct'], '-',
  ['match', ['coalesce', ['get', 'tone'], ''], Object.keys(TONES), ['get', 'tone'], 'full'],
  ['case', ['to-boolean', ['get', 'is_blurred']], '-blurred', '']
]

// The expression of a feature's colour from its tone.
export const TONE_COLOUR = ['match', ['coalesce', ['get', 'tone'], ''], ...Object.entries(TONES).flat(), TONES.full]
