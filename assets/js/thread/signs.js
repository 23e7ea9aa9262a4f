// What is seen of the others: how far they have got, who has the conversation open, who is writing.
const TYPING_MS = 6000

export class Signs {
  constructor (root) {
    this.root = root
    this.words = root.dataset
    this.own = root.dataset.own
    this.names = JSON.parse(root.dataset.parties)
    this.marks = JSON.parse(root.dataset.receipts)
  }

  // marks: { organisation: [delivered, read] }
  receipts (marks = this.marks) {
    this.marks = marks
    const others = Object.entries(marks).filter(([id]) => id !== this.own && this.names[id])
    for (const item of this.root.querySelectorAll(`.gj-message[data-organisation="${this.own}"]`)) {
      const line = item.querySelector('[data-receipt]')
      if (!line) continue
      const number = Number(item.dataset.number)
      const readers = others.filter(([, [, read]]) => read >= number).map(([id]) => this.names[id])
      const isDelivered = others.some(([, [delivered]]) => delivered >= number)
      const { wordRead, wordDelivered, wordSent } = this.words
      const text = readers.length ? `${wordRead} ${readers.join(', ')}` : isDelivered ? wordDelivered : wordSent
      if (line.textContent !== `· ${text}`) line.textContent = `· ${text}`
      line.dataset.state = readers.length ? 'read' : isDelivered ? 'delivered' : 'sent'
    }
  }

  // Who says something has read what stands above it.
  said (organisation, number) {
    const [delivered, read] = this.marks[organisation] || [0, 0]
    if (read < number) this.receipts({ ...this.marks, [organisation]: [Math.max(delivered, number), number] })
  }

  here (ids) {
    for (const party of this.root.querySelectorAll('[data-party]')) {
      const isHere = ids.includes(Number(party.dataset.party))
      party.classList.toggle('gj-party-here', isHere)
      party.title = isHere ? `${this.words.wordHere} ${party.textContent}` : ''
    }
  }

  typing (id) {
    const line = this.root.querySelector('[data-typing]')
    line.textContent = this.names[id] ? `${this.names[id]} ${this.words.wordTyping}` : ''
    clearTimeout(this.timer)
    this.timer = setTimeout(() => { line.textContent = '' }, TYPING_MS)
  }

  quiet () { this.root.querySelector('[data-typing]').textContent = '' }
}
