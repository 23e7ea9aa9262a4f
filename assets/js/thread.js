// A conversation kept up to date. The socket only rings: on every ring, on reconnect and by a timer the page
// pulls what came after the last number it shows, so a lost ring or a dead socket loses nothing.
const PULL_EVERY_MS = 20000
const BACKOFF_MAX_MS = 15000

function csrf (form) {
  return form.querySelector('[name=csrfmiddlewaretoken]').value
}

// randomUUID exists on secure origins only; a portal inside a plain-HTTP network still needs a key per message.
function newUuid () {
  if (crypto.randomUUID) return crypto.randomUUID()
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6] & 0x0f) | 0x40
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  const hex = [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

class Conversation {
  constructor (root) {
    this.root = root
    this.id = root.dataset.thread
    this.last = Number(root.dataset.last)
    this.items = root.querySelector('[data-items]')
    this.scroll = root.querySelector('[data-scroll]')
    this.form = root.querySelector('[data-send]')
    this.pending = new Map() // client uuid → { body, element }: what is typed goes out once, when the line is there
    this.tries = 0
    this.toBottom()
    this.markRead()
    this.connect()
    setInterval(() => this.pull(), PULL_EVERY_MS)
    window.addEventListener('online', () => { this.pull(); this.flush() })
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.pull() })
    if (this.form) this.wireForm()
    const older = root.querySelector('[data-older]')
    if (older) {
      older.hidden = false
      older.addEventListener('click', () => this.older(older))
    }
  }

  connect () {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    const socket = new WebSocket(`${scheme}://${location.host}/ws/bell/?thread=${this.id}`)
    socket.addEventListener('open', () => { this.tries = 0; this.live(true); this.pull(); this.flush() })
    socket.addEventListener('message', event => {
      const ring = JSON.parse(event.data)
      if (String(ring.thread) === this.id && ring.number > this.last) this.pull()
    })
    socket.addEventListener('close', event => {
      this.live(false)
      if (event.code === 4401 || event.code === 4404) return // signed out or no longer a party: stay quiet
      const wait = Math.min(BACKOFF_MAX_MS, 500 * 2 ** this.tries++)
      setTimeout(() => this.connect(), wait * (0.5 + Math.random()))
    })
  }

  live (on) {
    this.root.querySelector('.gj-live-on').hidden = !on
    this.root.querySelector('.gj-live-off').hidden = on
    this.root.dataset.live = on ? 'on' : 'off'
  }

  async pull () {
    if (this.pulling) { this.again = true; return }
    this.pulling = true
    try {
      const answer = await fetch(`${this.root.dataset.sinceUrl}?after=${this.last}`, { credentials: 'same-origin' })
      if (!answer.ok || answer.redirected) return
      this.append(await answer.text())
    } catch { /* the line is down: the next ring or the timer tries again */ } finally {
      this.pulling = false
      if (this.again) { this.again = false; this.pull() }
    }
  }

  append (html) {
    const holder = document.createElement('template')
    holder.innerHTML = html
    const nearBottom = this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < 120
    for (const item of [...holder.content.children]) {
      const number = Number(item.dataset.number)
      if (number <= this.last) continue
      const waiting = this.pending.get(item.dataset.uuid)
      if (waiting) { waiting.element.remove(); this.pending.delete(item.dataset.uuid) }
      this.items.append(item)
      this.last = number
    }
    this.root.dataset.last = this.last
    this.root.querySelector('[data-empty]').hidden = this.items.children.length > 0
    for (const { element } of this.pending.values()) this.items.append(element) // what waits stays last
    if (nearBottom) this.toBottom()
    this.markRead()
  }

  async older (button) {
    const first = Number(this.items.querySelector('[data-number]')?.dataset.number || 1)
    const answer = await fetch(`${this.root.dataset.sinceUrl}?before=${first}`, { credentials: 'same-origin' })
    if (!answer.ok) return
    const height = this.scroll.scrollHeight
    this.items.insertAdjacentHTML('afterbegin', await answer.text())
    this.scroll.scrollTop += this.scroll.scrollHeight - height
    button.hidden = Number(this.items.querySelector('[data-number]').dataset.number) <= 1
  }

  wireForm () {
    const box = this.form.elements.body
    this.form.addEventListener('submit', event => {
      event.preventDefault()
      const body = box.value.trim()
      if (!body) return
      box.value = ''
      this.queue(newUuid(), body)
    })
    box.addEventListener('keydown', event => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) this.form.requestSubmit()
    })
  }

  queue (uuid, body) {
    const element = this.root.querySelector('template[data-pending]').content.firstElementChild.cloneNode(true)
    element.querySelector('.gj-message-body').textContent = body
    this.items.append(element)
    this.root.querySelector('[data-empty]').hidden = true
    this.pending.set(uuid, { body, element })
    this.toBottom()
    this.flush()
  }

  async flush () {
    if (this.flushing) return
    this.flushing = true
    try {
      for (const [uuid, { body, element }] of [...this.pending]) {
        if (!(await this.send(uuid, body, element))) break
      }
    } finally { this.flushing = false }
    this.pull()
  }

  async send (uuid, body, element) {
    const data = new URLSearchParams({ client_uuid: uuid, body, csrfmiddlewaretoken: csrf(this.form) })
    try {
      const answer = await fetch(this.form.action, {
        method: 'POST', body: data, credentials: 'same-origin', headers: { Accept: 'application/json' }
      })
      if (answer.ok) return true
      if (answer.status === 403 || answer.status === 422) {
        this.refuse(uuid, body, element, (await answer.json()).error)
        return true
      }
    } catch { /* offline */ }
    element.querySelector('[data-pending-text]').hidden = true
    element.querySelector('[data-failed-text]').hidden = false
    setTimeout(() => this.flush(), 3000 + Math.random() * 2000)
    return false
  }

  refuse (uuid, body, element, sentence) {
    this.pending.delete(uuid)
    element.remove()
    const error = this.form.querySelector('[data-error]')
    error.textContent = sentence
    error.hidden = false
    this.form.elements.body.value = body // nothing typed is lost
  }

  toBottom () { this.scroll.scrollTop = this.scroll.scrollHeight }

  markRead () {
    if (document.hidden || this.last === this.marked || !this.last) return
    this.marked = this.last
    const token = document.querySelector('[name=csrfmiddlewaretoken]')?.value
    if (!token) return
    const data = new URLSearchParams({ number: this.last, csrfmiddlewaretoken: token })
    fetch(this.root.dataset.readUrl, { method: 'POST', body: data, credentials: 'same-origin' }).catch(() => {})
  }
}

document.querySelectorAll('[data-thread]').forEach(root => new Conversation(root))
