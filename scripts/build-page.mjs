// Builds the page of dashboard/ into a folder: each file compressed once, and named after its content but for the first.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants } from 'node:zlib'

const source = fileURLToPath(new URL('../dashboard', import.meta.url))

/** Writes index.html.br and what it loads into `outdir`. */
export async function buildPage(outdir) {
  const { build: esbuild } = await import('esbuild')
  const { outputFiles, metafile } = await esbuild({
    entryPoints: { page: join(source, 'main.tsx'), style: join(source, 'style/page.css') },
    outdir,
    write: false,
    metafile: true,
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    minify: true,
    legalComments: 'none',
    plugins: [terminalWithoutInlineStyles],
    logLevel: 'warning',
  })
  mkdirSync(outdir, { recursive: true })
  const icon = readFileSync(join(source, 'icon.svg'))
  const iconName = `icon-${createHash('sha256').update(icon).digest('hex').slice(0, 8)}.svg`
  for (const { path, contents } of outputFiles) write(outdir, basename(path), contents)
  write(outdir, iconName, icon)
  const entry = (file) =>
    basename(Object.keys(metafile.outputs).find((path) => metafile.outputs[path].entryPoint?.endsWith(file)))
  const index = readFileSync(join(source, 'index.html'), 'utf8')
    .replace('ICON', iconName)
    .replace('STYLE', entry('style/page.css'))
    .replace('SCRIPT', entry('main.tsx'))
  write(outdir, 'index.html', index)
}

function write(outdir, name, contents) {
  const bytes = Buffer.from(contents)
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length }
  writeFileSync(join(outdir, `${name}.br`), brotliCompressSync(bytes, { params }))
}

/**
 * The terminal writes rules into style elements, which the page's policy forbids. An element of our own takes them and
 * makes them a style sheet, which it allows. A version of the terminal that does it otherwise fails the build.
 */
const terminalWithoutInlineStyles = {
  name: 'terminal-without-inline-styles',
  setup({ onLoad }) {
    const replacements = [
      [/createElement\("style"\)/g, 'createElement("adopted-style")', 3],
      [/(\w+)\.setAttribute\("style",(`[^`]*`)\)/g, '$1.style.cssText=$2', 1],
    ]
    onLoad({ filter: /@xterm\/xterm\/lib\/xterm\.mjs$/ }, ({ path }) => {
      let contents = readFileSync(path, 'utf8')
      for (const [from, to, count] of replacements) {
        const found = [...contents.matchAll(from)].length
        if (found !== count) throw new Error(`${path}: ${from} is there ${found} times, not ${count}`)
        contents = contents.replaceAll(from, to)
      }
      return { contents, loader: 'js' }
    })
  },
}
