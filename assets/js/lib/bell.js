// The socket of this page: one, however many modules listen. It rings, and brings what was said in the page's language;
// whatever does not fit on what the page has is pulled by HTTP.
// Events: "state" (detail: true while it is open), "ring" (detail: the frame), "again" (open anew: pull everything).
// It comes back by itself with growing, scattered pauses, and is not believed when the line has failed.
const PAUSE_MS = 500
const PAUSE_MAX_MS = 8000
const GONE = 4 // refused so often in a row before it ever opened: only a pull can tell why
const FINAL = [4404, 4410] // no longer a party; the conversation is closed

class Bell extends EventTarget {
  constructor (thread) {
    super()
    this.thread = thread
    this.tries = 0
    this.isOpen = false
    this.isOver = false
    this.connect()
    window.addEventListener('online', () => this.now())
    window.addEventListener('offline', () => this.doubt())
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.now() })
    window.addEventListener('pagehide', () => this.socket?.close())
    window.addEventListener('pageshow', event => { if (event.persisted) this.now() })
  }

  tell (name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })) }

  connect () {
    clearTimeout(this.timer)
    this.timer = null
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    const asked = this.thread ? `?thread=${this.thread}&lang=${document.documentElement.lang}` : ''
    const socket = new WebSocket(`${scheme}://${location.host}/ws/bell/${asked}`)
    this.socket = socket
    socket.addEventListener('open', () => {
      this.tries = 0
      this.isOpen = true
      this.tell('state', true)
      this.tell('again')
    })
    socket.addEventListener('message', event => this.tell('ring', JSON.parse(event.data)))
    socket.addEventListener('close', event => { if (socket === this.socket) this.closed(event.code) })
  }

  closed (code) {
    this.socket = null
    if (this.isOpen) this.tell('state', false)
    this.isOpen = false
    if (FINAL.includes(code)) { this.over(); return }
    const wait = Math.min(PAUSE_MAX_MS, PAUSE_MS * 2 ** this.tries++)
    if (this.tries === GONE || code === 4401 || code === 4403) this.tell('again') // the pull finds out
    if (!this.isOver) this.timer = setTimeout(() => this.connect(), wait * (0.5 + Math.random()))
  }

  // Nothing more is to be heard: the conversation is closed, or not ours any more.
  over () {
    this.isOver = true
    clearTimeout(this.timer)
    this.tell('again')
  }

  // Somebody came back to the page, or the line did: no more waiting.
  now () {
    if (this.isOver) return
    if (!this.socket) { this.tries = 0; this.connect() }
    this.tell('again')
  }

  // A request failed: the socket may be half dead without knowing.
  doubt () {
    const socket = this.socket
    if (!socket) return
    this.socket = null
    socket.close()
    this.closed(1006)
  }
}

let bell = null

// The page's bell; it rings for the conversation on the page, if there is an open one.
export function pageBell () {
  bell ||= new Bell(document.querySelector('[data-thread]:not([data-closed])')?.dataset.thread)
  return bell
}
