// What was typed and not yet taken by the server: kept in IndexedDB, files included, until the server says that it
// has it. Each has its UUID from the beginning, so that sending twice stores once.
import { csrfToken } from '../lib/htmx.js'

const NAME = 'gongjian-outbox'
const STORE = 'messages'
const memory = new Map() // where the browser keeps nothing
let opened = null

function database () {
  opened ||= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1)
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: 'uuid' })
    asked.onsuccess = () => resolve(asked.result)
    asked.onerror = asked.onblocked = () => reject(asked.error || new Error('blocked'))
  }).catch(() => null)
  return opened
}

async function run (mode, act) {
  const base = await database()
  if (!base) return undefined
  return new Promise((resolve, reject) => {
    const change = base.transaction(STORE, mode)
    const asked = act(change.objectStore(STORE))
    change.oncomplete = () => resolve(asked?.result)
    change.onerror = change.onabort = () => reject(change.error)
  })
}

// entry: { uuid, thread, user, url, fields: {name: text}, files: [File], at: ms }. Whether it outlives the page.
export async function keep (entry) {
  memory.set(entry.uuid, entry)
  try {
    return (await run('readwrite', store => store.put(entry))) !== undefined
  } catch {
    return false
  }
}

export async function forget (uuid) {
  memory.delete(uuid)
  await run('readwrite', store => store.delete(uuid)).catch(() => {})
}

// A person's entries, oldest first; of one conversation where it is named.
export async function waiting (user, thread = null) {
  const kept = (await run('readonly', store => store.getAll()).catch(() => [])) || []
  const all = new Map([...memory, ...kept.map(entry => [entry.uuid, entry])])
  return [...all.values()]
    .filter(entry => String(entry.user) === String(user) && (thread === null || String(entry.thread) === String(thread)))
    .sort((a, b) => a.at - b.at)
}

// Sends one. Gives { state: 'sent' | 'waiting' | 'slow' | 'refused' | 'asks' | 'out', … }.
export async function send (entry) {
  const data = new FormData()
  for (const [name, value] of Object.entries(entry.fields)) data.append(name, value)
  for (const file of entry.files || []) data.append('files', file, file.name)
  data.append('client_uuid', entry.uuid)
  data.append('author', entry.user)
  let answer
  try {
    answer = await fetch(entry.url, {
      method: 'POST',
      body: data,
      credentials: 'same-origin',
      headers: { Accept: 'application/json', 'X-CSRFToken': cookieToken() || csrfToken() }
    })
  } catch {
    return { state: 'waiting' }
  }
  if (answer.redirected || answer.status === 404) return { state: 'out', isSignedOut: answer.redirected }
  if (answer.status === 201) return { state: 'sent', number: (await answer.json()).number }
  const said = (answer.headers.get('Content-Type') || '').includes('json') ? await answer.json() : null
  if (answer.status === 429) return { state: 'slow', wait: Number(answer.headers.get('Retry-After')) || 10 }
  if (said && answer.status === 409) return { state: 'asks', question: said.error }
  if (said && [403, 422].includes(answer.status)) return { state: 'refused', sentence: said.error }
  if (answer.status === 413) return { state: 'refused', sentence: answer.statusText }
  return { state: 'waiting' } // a fault of the server, or a token that is not good any more: try again
}

// A token in the page grows old when somebody signs in again elsewhere; the cookie is of now.
function cookieToken () { return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] || '' }

// One at a time across all pages of this browser.
export function alone (work) {
  return navigator.locks ? navigator.locks.request(NAME, work) : work()
}

// Sends everything a person has waiting, whatever page is open. Stops at the first that does not go.
export async function flushOutbox (user, thread = null, tell = () => {}) {
  if (!user) return
  await alone(async () => {
    for (const entry of await waiting(user, thread)) {
      const outcome = await send(entry)
      if (['sent', 'refused'].includes(outcome.state) && (outcome.state === 'sent' || thread !== null)) await forget(entry.uuid)
      if (outcome.state === 'asks' && thread !== null) await forget(entry.uuid)
      tell(entry, outcome)
      if (['waiting', 'slow', 'out'].includes(outcome.state)) break
    }
  })
}

// randomUUID exists on secure origins only; a portal inside a plain-HTTP network still needs a key per message.
export function newUuid () {
  if (crypto.randomUUID) return crypto.randomUUID()
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6] & 0x0f) | 0x40
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  const hex = [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
