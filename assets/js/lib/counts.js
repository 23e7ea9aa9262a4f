// The two counts in the top bar, kept up to date on every page; and what was typed elsewhere without a line goes out.
import { pageBell } from './bell.js'
import { flushOutbox } from '../thread/outbox.js'

const SOON_MS = 1200 // several rings at once are one question
const LATER_MS = 60000

export function setUpCounts (link) {
  const bell = pageBell()
  let soon = null
  const ask = async () => {
    soon = null
    if (document.hidden) return
    try {
      const answer = await fetch(link.dataset.countUrl, { credentials: 'same-origin' })
      if (answer.ok && !answer.redirected) show(link, await answer.json())
    } catch { /* the line is down: asked again later */ }
  }
  const askSoon = () => { soon ||= setTimeout(ask, SOON_MS * (0.5 + Math.random())) }
  bell.addEventListener('ring', event => { if (event.detail.notifications || event.detail.number) askSoon() })
  setInterval(askSoon, LATER_MS)
  const flush = () => flushOutbox(link.dataset.user)
  bell.addEventListener('again', flush)
  if (!document.querySelector('[data-thread]')) flush()
}

function show (link, { notifications, threads }) {
  write(link, notifications)
  const inbox = document.querySelector('[data-unread-threads]')
  if (inbox) write(inbox, threads)
}

function write (link, count) {
  let badge = link.querySelector('.gj-count')
  if (!count) { badge?.remove(); return }
  if (!badge) {
    badge = document.createElement('span')
    badge.className = 'gj-count'
    const word = document.createElement('span')
    word.className = 'visually-hidden'
    word.textContent = ` ${link.dataset.wordUnread}`
    badge.append('', word)
    link.append(' ', badge)
  }
  badge.firstChild.nodeValue = String(count)
}
