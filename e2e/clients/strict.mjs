// Holds the tools of MCP endpoints against what hosts accept: the Inspector's
// tools/list --strict, in both eras, which fails for a schema that some host
// rejects. What it only warns of is counted: fields of which nothing is known, and
// types that admit null. Prints one line per endpoint and era; exits 1 if any
// fails, or if the tools are not as many as TOOLS, where that is given.
//
//	[TOOLS=N] node strict.mjs MCP_URL...

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'

const run = promisify(execFile)
const folder = new URL('node_modules/@modelcontextprotocol/inspector/', import.meta.url).pathname
const { bin, version } = JSON.parse(readFileSync(`${folder}package.json`, 'utf8'))
const inspector = folder + (typeof bin === 'string' ? bin : bin['mcp-inspector'])

// list returns the tools that the Inspector sees; a schema that it refuses throws.
// It follows the cursors of a long list itself.
async function list(era, url) {
	const options = ['--cli', '--protocol-era', era, '--format', 'json', '--method', 'tools/list', '--strict', '--transport', 'http', url]
	try {
		const { stdout, stderr } = await run(process.execPath, [inspector, ...options], { maxBuffer: 1 << 28 })
		const warnings = stderr.match(/^Warning: tool /gm) ?? []
		return { tools: JSON.parse(stdout).result.tools, warnings: warnings.length }
	} catch (error) {
		if (typeof error.code !== 'number') throw error
		throw new Error(`exit code ${error.code}\n${error.stderr.split('\n\n').filter(finding => finding.startsWith('Error')).join('\n')}`)
	}
}

async function check(era, url) {
	const { tools, warnings } = await list(era, url)
	assert.ok(tools.length > 0, 'there are no tools')
	assert.equal(new Set(tools.map(tool => tool.name)).size, tools.length, 'two tools have one name')
	for (const tool of tools) assert.match(tool.name, /^[A-Za-z0-9_-]{1,64}$/)
	return { tools: tools.length, warnings }
}

// faulty is an endpoint with one tool that hosts reject: without it, nobody knew
// whether the check can fail.
const faulty = createServer((request, response) => {
	request.setEncoding('utf8')
	let text = ''
	request.on('data', part => { text += part })
	request.on('end', () => {
		const { id, method } = JSON.parse(text || '{}')
		const results = {
			initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'faulty', version: '1' } },
			'tools/list': { tools: [{ name: 'faulty', inputSchema: { type: 'object', properties: { any: true } } }] },
		}
		response.writeHead(results[method] ? 200 : 202, { 'content-type': 'application/json' })
		response.end(results[method] && JSON.stringify({ jsonrpc: '2.0', id, result: results[method] }))
	})
})
await new Promise(listening => { faulty.listen(0, '127.0.0.1', listening) })
await assert.rejects(list('legacy', `http://127.0.0.1:${faulty.address().port}/mcp`), /exit code 6/)
faulty.close()

const eras = ['legacy', 'modern']
const seen = Object.fromEntries(eras.map(era => [era, 0]))
const jobs = process.argv.slice(2).flatMap(url => eras.map(era => ({ url, era })))
let failed = jobs.length === 0
await Promise.all(Array.from({ length: availableParallelism() }, async () => {
	for (let job; (job = jobs.shift()); ) {
		try {
			const { tools, warnings } = await check(job.era, job.url)
			seen[job.era] += tools
			console.log(`ok      inspector ${version} --strict, ${job.era}, ${tools} tools of ${job.url}, ${warnings} warnings`)
		} catch (error) {
			failed = true
			console.log(`FAILED  inspector ${version} --strict, ${job.era}, ${job.url}: ${error.message}`)
		}
	}
}))
for (const era of eras) {
	if (process.env.TOOLS && seen[era] !== Number(process.env.TOOLS)) {
		failed = true
		console.log(`FAILED  ${seen[era]} tools in the ${era} era, want ${process.env.TOOLS}`)
	}
}
process.exit(failed ? 1 : 0)
