// The form of a conversation: text, files, a place, the kind of message, people called by name. It hands what is to
// be said to `say({ fields, files, correct })` and can be given it back.
import { callByName } from './mentions.js'

const TYPING_EVERY_MS = 4000

export class Composer {
  constructor (form, root, { say, typing }) {
    this.form = form
    this.words = root.dataset
    this.box = form.elements.body
    this.files = []
    this.correct = null // { url, number } while a message is being changed
    this.say = say
    this.lastTyping = 0
    form.addEventListener('submit', event => { event.preventDefault(); this.submit() })
    this.box.addEventListener('keydown', event => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit()
    })
    this.box.addEventListener('input', () => {
      if (Date.now() - this.lastTyping > TYPING_EVERY_MS && this.box.value) { this.lastTyping = Date.now(); typing() }
    })
    form.elements.files.addEventListener('change', event => {
      this.files.push(...event.target.files)
      event.target.value = ''
      this.showChips()
    })
    callByName(this.box, form.querySelector('[data-mentions]'), root.dataset.peopleUrl)
    this.wirePlace()
    this.wireQuestion()
  }

  submit () {
    const body = this.box.value.trim()
    const { shape, topic, about } = this.form.elements
    if (this.correct) {
      if (!body) return
      this.say({ fields: { body }, files: [], url: this.correct.url })
    } else {
      if (!body && !this.files.length && !shape.value) return
      const fields = { body, topic: topic.value, shape: shape.value }
      if (about) fields.about = about.value
      this.say({ fields, files: this.files, url: this.form.action })
    }
    this.clear()
  }

  clear () {
    this.box.value = ''
    this.files = []
    this.correct = null
    this.form.elements.shape.value = ''
    this.form.elements.topic.value = ''
    if (this.form.elements.about) this.form.elements.about.value = ''
    this.error('')
    this.showChips()
  }

  // Puts back what the server did not take: nothing typed is lost.
  giveBack (entry, sentence) {
    const { body = '', topic = '', about = '', shape = '' } = entry.fields
    this.box.value = [body, this.box.value].filter(Boolean).join('\n')
    this.files = [...(entry.files || []), ...this.files]
    if (topic) this.form.elements.topic.value = topic
    if (about && this.form.elements.about) this.form.elements.about.value = about
    if (shape) this.form.elements.shape.value = shape
    this.showChips()
    this.error(sentence)
  }

  error (sentence) {
    const line = this.form.querySelector('[data-error]')
    line.textContent = sentence
    line.hidden = !sentence
  }

  change (url, number, text) {
    this.clear()
    this.correct = { url, number }
    this.box.value = text
    this.showChips()
    this.box.focus()
  }

  showChips () {
    const list = this.form.querySelector('[data-chips]')
    const chips = this.files.map((file, i) => [file.name, () => this.files.splice(i, 1)])
    const shape = this.form.elements.shape
    if (shape.value) chips.push([this.form.querySelector('[data-place]').textContent.trim(), () => { shape.value = '' }])
    if (this.correct) chips.push([`${this.words.wordEdit} ${this.correct.number}`, () => this.clear()])
    list.replaceChildren(...chips.map(([text, remove]) => {
      const item = document.createElement('li')
      const button = document.createElement('button')
      button.type = 'button'
      button.className = 'btn-close'
      button.setAttribute('aria-label', `${this.words.wordRemove}: ${text}`)
      button.addEventListener('click', () => { remove(); this.showChips() })
      item.append(text, button)
      return item
    }))
    list.hidden = !chips.length
  }

  // --- a place or a line, drawn in a dialog; the map is loaded when it is first wanted ---
  wirePlace () {
    const button = this.form.querySelector('[data-place]')
    const dialog = this.form.querySelector('[data-place-dialog]')
    button.hidden = false
    button.addEventListener('click', async () => {
      dialog.showModal()
      const holder = dialog.querySelector('[data-place-holder]')
      if (!holder.firstElementChild) holder.append(dialog.querySelector('[data-place-widget]').content.cloneNode(true))
    })
    dialog.querySelector('[data-place-cancel]').addEventListener('click', () => dialog.close())
    dialog.querySelector('[data-place-take]').addEventListener('click', () => {
      const widget = dialog.querySelector('[data-geo-widget]')
      const geometry = widget?.field?.geometry
      this.form.elements.shape.value = geometry ? JSON.stringify(geometry) : ''
      this.showChips()
      dialog.close()
      this.box.focus()
    })
  }

  // --- the server asks before it takes an exact place ---
  wireQuestion () {
    const panel = this.form.querySelector('[data-question]')
    panel.querySelector('[data-question-no]').addEventListener('click', () => {
      panel.hidden = true
      this.giveBack(this.asked, '')
    })
    panel.querySelector('[data-question-yes]').addEventListener('click', () => {
      panel.hidden = true
      const { fields, files, url } = this.asked
      this.say({ fields: { ...fields, confirmed: '1' }, files, url })
    })
  }

  ask (entry, question) {
    this.asked = entry
    const panel = this.form.querySelector('[data-question]')
    panel.querySelector('[data-question-text]').textContent = question
    panel.hidden = false
    panel.querySelector('[data-question-no]').focus()
  }
}
