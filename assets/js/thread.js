// A conversation kept up to date. The socket brings what was said, or rings: then, on reconnect and by a timer the page
// pulls what came after the last number it shows, so a lost frame or a dead socket loses nothing. What is typed is kept
// until the server has it (thread/outbox.js) and shows where it stands: waiting, sent, delivered, read.
import { pageBell } from './lib/bell.js'
import { csrfToken } from './lib/htmx.js'
import { Composer } from './thread/composer.js'
import { flushOutbox, forget, keep, newUuid, waiting } from './thread/outbox.js'
import { Signs } from './thread/signs.js'

const PULL_LIVE_MS = 30000
const PULL_DEAF_MS = 5000
const MARK_AFTER_MS = 400
const AGAIN_MS = 3000

class Conversation {
  constructor (root) {
    this.root = root
    this.id = root.dataset.thread
    this.user = root.dataset.user
    this.items = root.querySelector('[data-items]')
    this.scroll = root.querySelector('[data-scroll]')
    this.last = Math.max(0, ...[...this.items.querySelectorAll('[data-number]')].map(item => Number(item.dataset.number)))
    this.pending = new Map() // client uuid → { entry, element }
    this.marked = { read: 0, delivered: 0 }
    this.signs = new Signs(root)
    this.signs.receipts()
    this.showStart()
    this.wireForm()
    this.wireOlder()
    this.mark()
    if (!('closed' in root.dataset)) this.listen()
    document.addEventListener('visibilitychange', () => this.mark())
    this.items.addEventListener('load', () => { if (this.isAtEnd) this.toBottom() }, true) // pictures come later
    this.scroll.addEventListener('scroll', () => { this.isAtEnd = this.nearBottom() }, { passive: true })
    this.takeUp()
  }

  listen () {
    this.bell = pageBell()
    this.bell.addEventListener('state', event => this.live(event.detail))
    this.bell.addEventListener('again', () => { this.pull(); this.flush() })
    this.bell.addEventListener('ring', event => this.rung(event.detail))
    if (this.bell.isOpen) this.live(true)
    this.pull()
    this.schedulePull()
  }

  schedulePull () {
    const every = this.bell.isOpen ? PULL_LIVE_MS : PULL_DEAF_MS
    this.pullTimer = setTimeout(async () => {
      if (this.isOver) return
      await this.pull()
      this.schedulePull()
    }, every * (0.8 + 0.4 * Math.random()))
  }

  rung (ring) {
    if (String(ring.thread) !== this.id) return
    if (ring.html && ring.after <= this.last) this.append(ring.html)
    if (ring.number > this.last || ring.marks) this.pull()
    if (ring.receipts) this.signs.receipts(ring.receipts)
    if (ring.typing) this.signs.typing(ring.typing)
    if (ring.here) this.signs.here(ring.here)
  }

  live (on) {
    this.root.querySelector('.gj-live-on').hidden = !on
    this.root.querySelector('.gj-live-off').hidden = on
    this.root.dataset.live = on ? 'on' : 'off'
    if (on === false) this.signs.here([])
    clearTimeout(this.pullTimer)
    this.schedulePull()
  }

  // --- pulling ---
  async pull () {
    if (this.pulling) { this.again = true; return }
    this.pulling = true
    let isMore = false
    try {
      const answer = await fetch(`${this.root.dataset.sinceUrl}?after=${this.last}`, { credentials: 'same-origin' })
      if (answer.redirected) { this.over(this.root.dataset.wordSignedOut, false); return }
      if (answer.status === 404) { this.over(this.root.dataset.wordGone, true); return }
      if (!answer.ok) return
      this.note('')
      isMore = answer.headers.get('X-More') === '1'
      this.append(await answer.text())
      this.signs.receipts(JSON.parse(answer.headers.get('X-Receipts') || '{}'))
    } catch {
      this.bell?.doubt() // the line is down: the next ring or the timer tries again
    } finally {
      this.pulling = false
      if (this.again || isMore) { this.again = false; this.pull() }
    }
  }

  append (html) {
    if (!html.trim()) return
    const holder = document.createElement('template')
    holder.innerHTML = html
    const nearBottom = this.nearBottom()
    for (const item of [...holder.content.children]) {
      const number = Number(item.dataset.number)
      if (number <= this.last) continue
      if (item.dataset.uuid) this.settle(item.dataset.uuid)
      if (item.dataset.corrects) this.replace(item)
      else this.items.append(item)
      if (item.dataset.organisation) this.signs.said(item.dataset.organisation, number)
      this.last = number
    }
    this.root.dataset.last = this.last
    this.signs.quiet()
    for (const { element } of this.pending.values()) if (element) this.items.append(element) // what waits stays last
    this.showEmpty()
    if (nearBottom) this.toBottom()
    this.mark()
  }

  replace (correction) {
    const old = this.items.querySelector(`#m${correction.dataset.corrects}`)
    const fresh = correction.querySelector('template').content.firstElementChild
    if (old && fresh) old.replaceWith(fresh)
  }

  // The server has it: what stood for it goes.
  settle (uuid) {
    const waited = this.pending.get(uuid)
    if (!waited) return
    waited.element?.remove()
    this.pending.delete(uuid)
    forget(uuid)
  }

  over (sentence, isFinal) {
    this.note(sentence)
    if (!isFinal) return
    this.isOver = true
    this.bell.isOver = true
    clearTimeout(this.pullTimer)
    this.live(false)
  }

  note (sentence) {
    let line = this.root.querySelector('[data-note]')
    if (!line && !sentence) return
    if (!line) {
      line = document.createElement('p')
      line.className = 'gj-message-bar gj-tone-bad'
      line.dataset.note = ''
      line.setAttribute('role', 'alert')
      this.scroll.before(line)
    }
    if (line.textContent !== sentence) line.textContent = sentence
    line.hidden = !sentence
  }

  wireOlder () {
    const button = this.root.querySelector('[data-older]')
    if (!button) return
    button.hidden = false
    button.addEventListener('click', async () => {
      const first = Number(this.items.querySelector('[data-number]')?.dataset.number || 1)
      const answer = await fetch(`${this.root.dataset.sinceUrl}?before=${first}`, { credentials: 'same-origin' })
      if (!answer.ok) return
      const height = this.scroll.scrollHeight
      this.items.insertAdjacentHTML('afterbegin', await answer.text())
      this.scroll.scrollTop += this.scroll.scrollHeight - height
      this.signs.receipts()
      button.hidden = Number(this.items.querySelector('[data-number]').dataset.number) <= 1
    })
  }

  // --- saying ---
  wireForm () {
    const form = this.root.querySelector('[data-send]')
    if (!form) return
    this.composer = new Composer(form, this.root, {
      say: said => this.say(said),
      typing: () => { if (this.bell?.isOpen) this.post(this.root.dataset.typingUrl, {}) }
    })
    this.items.addEventListener('click', event => this.clicked(event))
    this.items.addEventListener('submit', event => {
      if (!event.target.action.endsWith('/retract/')) return
      event.preventDefault()
      this.say({ fields: {}, files: [], url: event.target.action })
    })
  }

  clicked (event) {
    const link = event.target.closest('[data-correct]')
    if (!link) return
    event.preventDefault()
    const item = link.closest('[data-number]')
    this.composer.change(link.href, item.dataset.number, item.querySelector('.gj-message-body')?.innerText || '')
  }

  async say ({ fields, files, url }) {
    const entry = { uuid: newUuid(), thread: this.id, user: this.user, url, fields, files: [...files], at: Date.now() }
    this.show(entry)
    if (!(await keep(entry)) && !navigator.onLine) this.composer.error(this.root.dataset.wordKept)
    this.flush()
  }

  // What waits is seen at once; a change or a retraction shows when it is done.
  show (entry) {
    let element = null
    if (entry.fields.topic !== undefined) {
      element = this.root.querySelector('template[data-pending]').content.firstElementChild.cloneNode(true)
      element.querySelector('.gj-message-body').textContent = entry.fields.body
      element.querySelector('.gj-message-files').textContent = (entry.files || []).map(file => file.name).join(', ')
      this.items.append(element)
    }
    this.pending.set(entry.uuid, { entry, element })
    this.showEmpty()
    this.toBottom()
  }

  // What an earlier visit to the page left waiting.
  async takeUp () {
    for (const entry of await waiting(this.user, this.id)) if (!this.pending.has(entry.uuid)) this.show(entry)
    if (this.pending.size) this.flush()
  }

  async flush () {
    if (this.flushing || !this.pending.size || !this.composer) return
    this.flushing = true
    try {
      await flushOutbox(this.user, this.id, (entry, outcome) => this.outcome(entry, outcome))
    } finally { this.flushing = false }
  }

  outcome (entry, { state, sentence, question, wait, isSignedOut }) {
    const element = this.pending.get(entry.uuid)?.element
    if (state === 'sent') { this.pull(); return }
    if (state === 'refused' || state === 'asks') {
      this.settle(entry.uuid)
      if (state === 'asks') this.composer.ask(entry, question)
      else this.composer.giveBack(entry, sentence)
      this.showEmpty()
      return
    }
    if (element) {
      element.querySelector('[data-pending-text]').hidden = true
      element.querySelector('[data-failed-text]').hidden = state === 'slow'
      element.querySelector('[data-slow-text]').hidden = state !== 'slow'
    }
    if (state === 'out') this.over(isSignedOut ? this.root.dataset.wordSignedOut : this.root.dataset.wordGone, !isSignedOut)
    setTimeout(() => this.flush(), (wait ? wait * 1000 : AGAIN_MS) * (0.8 + 0.4 * Math.random()))
  }

  // --- marks ---
  mark () {
    clearTimeout(this.markTimer)
    this.markTimer = setTimeout(() => {
      const read = document.hidden ? this.marked.read : this.last
      if (read <= this.marked.read && this.last <= this.marked.delivered) return
      this.marked = { read, delivered: this.last }
      this.post(this.root.dataset.readUrl, { number: read, delivered: this.last })
    }, MARK_AFTER_MS)
  }

  post (url, values) {
    const body = new URLSearchParams(values)
    const headers = { 'X-CSRFToken': csrfToken() }
    return fetch(url, { method: 'POST', body, credentials: 'same-origin', headers }).catch(() => {})
  }

  // --- what is shown ---
  showStart () {
    const asked = this.items.querySelector(`#m${this.root.dataset.at}`)
    if (asked) {
      asked.scrollIntoView({ block: 'center' })
      asked.classList.add('gj-message-asked')
    } else this.toBottom()
  }

  showEmpty () { this.root.querySelector('[data-empty]').hidden = this.items.children.length > 0 }

  nearBottom () { return this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < 120 }

  toBottom () {
    this.isAtEnd = true
    this.scroll.scrollTop = this.scroll.scrollHeight
  }
}

document.querySelectorAll('[data-thread]').forEach(root => new Conversation(root))
