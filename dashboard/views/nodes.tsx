import { useState } from 'preact/hooks'
import { Choice, Heading } from '../parts/heading.tsx'
import { NodeMap, type Scale, scaleWords } from './overview/node-map.tsx'

/** Every node with its pods, to scale. */
export function Nodes() {
  const [scale, setScale] = useState<Scale>('cpu')
  return (
    <div class="view fill">
      <Heading title="Nodes" sub="A pod is as wide as what it asks for, and filled as far as it uses it.">
        <Choice label="Drawn by" value={scale} options={scaleWords} onChange={setScale} />
      </Heading>
      <NodeMap scale={scale} />
    </div>
  )
}
