/** What a shell runs to ask `gantry __complete` for the words that may come next; where it knows none, files. */
export const scripts: Readonly<Record<string, string>> = {
  bash: `# gantry completion for bash: source <(gantry completion bash)
_gantry() {
  local cur words
  cur="\${COMP_WORDS[COMP_CWORD]}"
  words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(gantry __complete -- "\${words[@]}" 2>/dev/null)" -- "$cur"))
  [[ \${#COMPREPLY[@]} -eq 1 && "\${COMPREPLY[0]}" == */ ]] && compopt -o nospace
}
complete -o default -F _gantry gantry
`,
  zsh: `#compdef gantry
# gantry completion for zsh: source <(gantry completion zsh)
_gantry() {
  local -a found
  found=("\${(@f)$(gantry __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found" ]]; then compadd -a found; else _files; fi
}
compdef _gantry gantry
`,
  fish: `# gantry completion for fish: gantry completion fish | source
function __gantry_complete
    set -l words (commandline -opc) (commandline -ct)
    gantry __complete -- $words[2..-1] 2>/dev/null
end
complete -c gantry -f -a '(__gantry_complete)'
complete -c gantry -s f -l filename -r -F
complete -c gantry -s k -l kustomize -r -F
`,
}
