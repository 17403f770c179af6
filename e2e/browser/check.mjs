// What a person finds on the page of the embedded capability, served with the
// sandbox.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { browse, everythingHasAName, sender } from "./browser.mjs";

const [address, profile, screenshots] = process.argv.slice(2);
const origin = new URL(address).origin;
const shell = promisify(execFile);

const operations = ["createinteraction", "fetchinteraction", "listinteractionchannels", "fetchinteractionchannel", "updateinteractionchannel"];
const tools = [
  "twilio-create-interaction", "twilio-fetch-interaction", "twilio-list-interaction-channels",
  "twilio-fetch-interaction-channel", "twilio-update-interaction-channel",
];

await browse(origin, profile, async ({ page, step, expected }) => {
  const { open, send } = sender(page, origin + "/v1/");

  await step("the page loads, and it is the same at every address of it", async () => {
    const response = await page.goto(address);
    assert.equal(response.status(), 200);
    const policy = response.headers()["content-security-policy"];
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    const html = await response.text();
    for (const path of ["/", "/.patchbay"]) assert.equal(await (await fetch(origin + path)).text(), html, path);
  });

  await step("five operations and five tools are there to see", async () => {
    for (const name of operations) assert.ok(await page.locator(`#op-${name} > summary`).isVisible(), name);
    for (const name of tools) assert.ok(await page.locator(`#tool-${name} > summary`).isVisible(), name);
    assert.equal(await page.locator(".op").count(), operations.length);
    assert.equal(await page.locator(".tool").count(), tools.length);
    assert.ok(await page.getByText("built-in simulator").isVisible());
    assert.equal(await page.locator("#tool-twilio-fetch-interaction .badge", { hasText: /^read-only$/ }).count(), 1);
  });

  await step("everything that can be operated has a name", () => everythingHasAName(page));

  await step("fetching the seeded interaction answers 200", async () => {
    const { status, text } = await send("fetchinteraction");
    assert.equal(status, "200 OK");
    assert.match(JSON.parse(text).sid, /^KD5eed0*1$/);
  });

  await step("fetching the seeded channel answers 200", async () => {
    const { status, text } = await send("fetchinteractionchannel");
    assert.equal(status, "200 OK");
    assert.match(JSON.parse(text).sid, /^UO5eed0*1$/);
  });

  await step("creating with the example answers 200", async () => {
    const { status, text } = await send("createinteraction");
    assert.equal(status, "200 OK");
    assert.match(JSON.parse(text).sid, /^KD[0-9a-f]{32}$/);
  });

  await step("a body that is not JSON, and one that breaks rules, show the problem", async () => {
    const body = page.locator("#op-createinteraction").getByRole("textbox", { name: /^Body/ });
    expected.push("status of 400", "status of 400");
    await body.fill('{"Channel": ');
    let { status, text } = await send("createinteraction");
    assert.equal(status, "400 Bad Request");
    assert.equal(JSON.parse(text).type, "/.patchbay/problems#invalid-input");
    await body.fill('{"Channel": {"type": "fax"}}');
    ({ text } = await send("createinteraction"));
    const problem = JSON.parse(text);
    assert.equal(problem.outcome, "no_call");
    assert.ok(problem.errors.some((e) => e.pointer === "/Channel/type"), text);
    assert.ok(problem.errors.length > 1, "one fault at a time");
    const explained = await page.goto(origin + problem.type);
    assert.equal(new URL(page.url()).hash, "#invalid-input");
    assert.ok(await page.locator("#invalid-input").isVisible());
    assert.ok(explained === null || explained.status() === 200);
    await page.goto(address);
    assert.deepEqual(expected, []);
  });

  await step("a value in the form is the value in the command", async () => {
    const details = await open("op-listinteractionchannels");
    const command = details.locator("pre[id$=':curl']");
    const before = await command.textContent();
    await details.getByLabel("PageSize").fill("1");
    assert.equal(await command.textContent(), before.replace(/(http\S+)/, "'$1?PageSize=1'"));
    await details.getByLabel("PageSize").fill("");
    assert.equal(await command.textContent(), before);
  });

  await step("script and server write the same commands", async () => {
    const pairs = await page.evaluate(() => [...document.querySelectorAll("form[data-method]")].map((form) => {
      const command = document.getElementById(form.dataset.curl);
      const written = command.textContent;
      form.dispatchEvent(new Event("input"));
      return [written, command.textContent];
    }));
    assert.equal(pairs.length, operations.length);
    for (const [written, computed] of pairs) assert.equal(computed, written);
  });

  await step("copying copies, and the copied commands work in a shell", async () => {
    for (const name of operations) {
      const details = await open(`op-${name}`);
      await details.getByRole("button", { name: `Copy the curl command for ${name}` }).click();
      const command = await page.evaluate(() => navigator.clipboard.readText());
      assert.match(command, /^curl /);
      const { stdout } = await shell("bash", ["-c", `${command} -o /dev/null -w '%{http_code}'`]);
      assert.equal(stdout, "200", command);
    }
  });

  await step("a link to an operation unfolds it", async () => {
    await page.goto(address + "#tool-twilio-fetch-interaction");
    assert.ok(await page.locator("#tool-twilio-fetch-interaction").evaluate((e) => e.open));
    await page.locator("nav a[href='#op-createinteraction']").click();
    assert.ok(await page.locator("#op-createinteraction").evaluate((e) => e.open));
  });

  await step("light, dark and narrow render", async () => {
    const paint = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await send("fetchinteraction");
    await page.emulateMedia({ colorScheme: "light" });
    const light = await paint();
    await page.screenshot({ path: join(screenshots, "light.png"), fullPage: true });
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await paint();
    await page.screenshot({ path: join(screenshots, "dark.png"), fullPage: true });
    const brightness = (color) => color.match(/\d+/g).slice(0, 3).reduce((sum, n) => sum + Number(n), 0);
    assert.ok(brightness(light) > 600 && brightness(dark) < 150, `${light} ${dark}`);
    await page.setViewportSize({ width: 360, height: 800 });
    await page.screenshot({ path: join(screenshots, "narrow.png") });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 360, "the page scrolls sideways");
  });
});
