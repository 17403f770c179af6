// Takes MCP clients that people use through the same steps against patchbay:
// open, list, call, a wrong argument, an unknown tool. Prints one line per
// client and mode; exits 1 if any step of any fails.
//
//	node clients.mjs MCP_URL PATCHBAY
//
// MCP_URL is the endpoint of a patchbay serve --sandbox, PATCHBAY the command.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import * as v1 from '@modelcontextprotocol/sdk/client/index.js'
import * as v1http from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import * as v1stdio from '@modelcontextprotocol/sdk/client/stdio.js'
import * as v2 from '@modelcontextprotocol/client'
import * as v2stdio from '@modelcontextprotocol/client/stdio'

const [url, patchbay] = process.argv.slice(2)
const MODERN = '2026-07-28'
const LEGACY = '2025-11-25'
const INFO = { name: 'patchbay-e2e', version: '1' }
const STDIO = { command: patchbay, args: ['mcp', '--sandbox', '--log-level', 'error'], stderr: 'ignore' }

const TOOL = 'twilio-fetch-interaction'
const SID = 'KD5eed0000000000000000000000000001'
const TOOLS = [
	'twilio-create-interaction',
	'twilio-fetch-interaction',
	'twilio-list-interaction-channels',
	'twilio-fetch-interaction-channel',
	'twilio-update-interaction-channel',
]

const installed = name => new URL(`node_modules/${name}`, import.meta.url).pathname
const manifest = name => JSON.parse(readFileSync(`${installed(name)}/package.json`, 'utf8'))

// executable is the file that a package runs as the given command.
function executable(name, command) {
	const { bin } = manifest(name)
	return `${installed(name)}/${typeof bin === 'string' ? bin : bin[command]}`
}

function checkList(result) {
	assert.deepEqual(result.tools.map(tool => tool.name), TOOLS)
	for (const tool of result.tools) {
		assert.equal(tool.inputSchema.type, 'object')
		assert.equal(tool.outputSchema?.type, 'object')
	}
}

function checkCall(result) {
	assert.ok(!result.isError, JSON.stringify(result))
	assert.equal(result.structuredContent?.sid, SID)
	assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent)
}

function checkRefusal(result) {
	assert.equal(result.isError, true)
	assert.match(result.content[0].text, /\/InteractionSid /)
}

// connected runs the steps with a client of either TypeScript SDK. The client
// itself checks structured content against the schemas of the list.
async function connected(client, transport, revision) {
	await client.connect(transport)
	try {
		if (revision) assert.equal(client.getNegotiatedProtocolVersion(), revision)
		checkList(await client.listTools())
		checkCall(await client.callTool({ name: TOOL, arguments: { InteractionSid: SID } }))
		checkRefusal(await client.callTool({ name: TOOL, arguments: { InteractionSid: 'KD1' } }))
		await assert.rejects(client.callTool({ name: 'twilio-delete-interaction', arguments: {} }), { code: -32602 })
	} finally {
		await client.close()
	}
}

// The first SDK has one era and does not tell the revision over stdio.
const viaV1 = transport => connected(new v1.Client(INFO), transport)

const viaV2 = (mode, revision, transport) =>
	connected(new v2.Client(INFO, { versionNegotiation: { mode } }), transport, revision)

// inspector runs one step per process, as its users do.
async function inspector(era, target) {
	const run = promisify(execFile)
	const cli = async (...options) => {
		const args = [executable('@modelcontextprotocol/inspector', 'mcp-inspector'), '--cli', '--protocol-era', era]
		try {
			const { stdout } = await run(process.execPath, [...args, '--format', 'json', ...options, ...target], { maxBuffer: 1 << 24 })
			return { code: 0, ...JSON.parse(stdout) }
		} catch (error) {
			if (typeof error.code !== 'number') throw error
			return { code: error.code, ...JSON.parse(error.stdout || '{}'), stderr: error.stderr }
		}
	}
	const call = (name, args) => cli('--method', 'tools/call', '--tool-name', name, '--tool-args-json', JSON.stringify(args))

	const listed = await cli('--method', 'tools/list', '--strict') // exit code 6: a schema that hosts reject
	assert.equal(listed.code, 0, listed.stderr)
	checkList(listed.result)
	const called = await call(TOOL, { InteractionSid: SID })
	assert.equal(called.code, 0, called.stderr)
	checkCall(called.result)
	const refused = await call(TOOL, { InteractionSid: 'KD1' })
	assert.equal(refused.code, 5, refused.stderr)
	checkRefusal(refused.result)
	const unknown = await call('twilio-delete-interaction', {})
	assert.notEqual(unknown.code, 0)
}

const SDK1 = '@modelcontextprotocol/sdk'
const SDK2 = '@modelcontextprotocol/client'
const INSPECTOR = '@modelcontextprotocol/inspector'
const REMOTE = 'mcp-remote'

const runs = [
	[SDK1, 'HTTP', () => viaV1(new v1http.StreamableHTTPClientTransport(new URL(url)))],
	[SDK1, 'stdio', () => viaV1(new v1stdio.StdioClientTransport(STDIO))],
]
for (const [name, mode, revision] of [
	['auto', 'auto', MODERN],
	['legacy', 'legacy', LEGACY],
	[`pin ${MODERN}`, { pin: MODERN }, MODERN],
]) {
	runs.push(
		[SDK2, `HTTP ${name}`, () => viaV2(mode, revision, new v2.StreamableHTTPClientTransport(new URL(url)))],
		[SDK2, `stdio ${name}`, () => viaV2(mode, revision, new v2stdio.StdioClientTransport(STDIO))],
	)
}
for (const era of ['legacy', 'auto', 'modern']) {
	runs.push([INSPECTOR, `HTTP ${era}`, () => inspector(era, ['--transport', 'http', url])])
}
for (const era of ['legacy', 'auto', 'modern']) {
	runs.push([INSPECTOR, `stdio ${era}`, () => inspector(era, ['--transport', 'stdio', STDIO.command, ...STDIO.args])])
}
// mcp-remote speaks the era of the client before it.
const remote = () => ({
	command: process.execPath,
	args: [executable(REMOTE, 'mcp-remote'), url, '--allow-http'],
	env: { ...v1stdio.getDefaultEnvironment(), HOME: process.env.HOME, MCP_REMOTE_CONFIG_DIR: process.env.HOME },
	stderr: 'ignore',
})
runs.push(
	[REMOTE, 'stdio to HTTP legacy', () => viaV1(new v1stdio.StdioClientTransport(remote()))],
	[REMOTE, `stdio to HTTP ${MODERN}`, () => viaV2({ pin: MODERN }, MODERN, new v2stdio.StdioClientTransport(remote()))],
)

let failed = false
for (const [name, mode, run] of runs) {
	const label = `${name} ${manifest(name).version}, ${mode}`
	const began = performance.now()
	try {
		await run()
		console.log(`ok      ${label} (${Math.round(performance.now() - began)} ms)`)
	} catch (error) {
		failed = true
		console.log(`FAILED  ${label}: ${error.stack ?? error}`)
	}
}
process.exit(failed ? 1 : 0)
