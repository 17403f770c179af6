// Fetches the served description, compares it with the exported one, and writes
// both forms that Spectral is to judge: as served, and with a fault in it.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [address, work] = process.argv.slice(2);
const exported = JSON.parse(readFileSync(join(work, "exported.json"), "utf8"));

const response = await fetch(new URL("openapi.json", address));
assert.equal(response.status, 200);
assert.equal(response.headers.get("content-type"), "application/json");
const text = await response.text();
writeFileSync(join(work, "served.json"), text);

const served = JSON.parse(text);
assert.equal(served.servers[0].url, new URL(address).origin);
// As texts: the order of members is part of the document.
const apart = (document) => JSON.stringify({ ...document, servers: [] });
assert.equal(apart(served), apart(exported), "served and exported descriptions differ beyond servers");

delete served.info.contact;
writeFileSync(join(work, "broken.json"), JSON.stringify(served));
