/** How nodes are chosen is a rule of the API, which controllers follow as well. */
export {
  type NodeIdentity,
  type NodeTest,
  nodeSelectorTest,
  requiredNodeTest,
  termTest,
} from '../../api/core/node-choice.ts'
