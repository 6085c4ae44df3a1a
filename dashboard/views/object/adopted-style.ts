/**
 * A style element in all but name: its text becomes a style sheet of the document, which the page's policy allows, while
 * it forbids rules written into the document. The build puts it in the place of the terminal's style elements.
 */
export function defineAdoptedStyle(): void {
  if (!customElements.get('adopted-style')) customElements.define('adopted-style', AdoptedStyle)
}

class AdoptedStyle extends HTMLElement {
  readonly #sheet = new CSSStyleSheet()

  override get textContent(): string {
    return ''
  }

  override set textContent(text: string) {
    this.#sheet.replaceSync(text)
  }

  connectedCallback(): void {
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, this.#sheet]
  }

  disconnectedCallback(): void {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== this.#sheet)
  }
}
