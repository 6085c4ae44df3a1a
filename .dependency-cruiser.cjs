/** The house's import directions: who may know whom. */
const components = ['apiserver', 'scheduler', 'controller-manager', 'node-agent', 'cli', 'dashboard']
const rooms = ['api', 'client', ...components, 'cluster', 'bench', 'test']
const only = (from, to) => ({
  name: `${from}-imports-only-${to.join('-') || 'itself'}`,
  severity: 'error',
  from: { path: `^${from}/`, pathNot: '\\.test\\.ts$' },
  to: { path: `^(${rooms.filter((room) => room !== from && !to.includes(room)).join('|')})/` },
})

module.exports = {
  forbidden: [
    only('api', []),
    only('client', ['api']),
    ...components.map((component) => only(component, ['api', 'client'])),
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, dependencyTypesNot: ['type-only'], viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(node_modules|dist|generated)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs', '.json'] },
  },
}
