// Runs `enhance` once for each element the selector finds, now and whenever htmx or a script adds one.
export function watch (selector, enhance) {
  const done = new WeakSet()
  const scan = () => document.querySelectorAll(selector).forEach(element => {
    if (done.has(element)) return
    done.add(element)
    enhance(element)
  })
  scan()
  new MutationObserver(scan).observe(document.documentElement, { childList: true, subtree: true })
}
