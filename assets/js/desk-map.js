// Maps on the bureau's desk: the Wagtail admin does not load app.js.
import { showMap } from './map-view.js'

document.querySelectorAll('[data-map-view]').forEach(root => showMap(root))
