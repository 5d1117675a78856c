// Uses the pages of a server in a browser as a person does, and says what is wrong with them.
// node served.cjs SAMPLE MANY OUT [pictures]: addresses of a server of the sample logs and of one of ten thousand
// tenants, both with their rosters; pictures, if asked for, go to OUT.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { SCHEMES, WIDTHS, axe, browse, height, isChecked, layout, violations } = require("./eyes.cjs");

const [sample, many, out, pictures] = process.argv.slice(2);
// A page of ten thousand tenants that has been computed is usable after so long.
const LOAD_MS_MAX = 5000;
const MANY = 10_000;

const wrong = [];
const expect = (holds, what) => {
  if (!holds) wrong.push(what);
};

// The policy of the pages is obeyed, unless the checker has to be put into them.
async function open(browser, address, { width = 1280, scheme = "light", script = true, checker = false } = {}) {
  const context = await browser.newContext({
    viewport: { width, height: height(width) },
    colorScheme: scheme,
    javaScriptEnabled: script,
    bypassCSP: checker,
    acceptDownloads: true,
  });
  const page = await context.newPage();
  const told = { status: 200 };
  page.on("console", (message) => {
    // The browser says itself that an answer is no 200.
    const isStatus = told.status !== 200 && message.text().includes("the server responded with a status");
    // Without the policy it looks for an icon, which there is not.
    if (checker && message.location().url.endsWith("/favicon.ico")) return;
    expect(isStatus || !["error", "warning"].includes(message.type()), `${page.url()}: console: ${message.text()}`);
  });
  page.on("pageerror", (error) => expect(false, `${page.url()}: ${error.message}`));
  page.on("dialog", (dialog) => { expect(false, `${page.url()}: a dialog: ${dialog.message()}`); dialog.dismiss(); });
  const { origin } = new URL(address);
  page.on("request", (request) => expect(request.url().startsWith(`${origin}/`), `${address}: asks for ${request.url()}`));
  page.on("response", (response) => { told.status = response.status(); });
  await page.goto(address, { waitUntil: "load" });
  return page;
}

// Nothing overlaps or is cut, in both schemes, on a phone and a desk; and the checker finds nothing serious.
async function looks(browser, address, name, checks = true) {
  const page = await open(browser, address, { checker: true });
  if (checks) await page.evaluate(axe);
  for (const width of WIDTHS) {
    for (const scheme of SCHEMES) {
      const at = `${name} ${width} ${scheme}`;
      await page.setViewportSize({ width, height: height(width) });
      await page.emulateMedia({ colorScheme: scheme });
      const found = await page.evaluate(layout);
      expect(found.wide <= found.inner, `${at}: ${found.wide} wide, of ${found.inner}`);
      for (const kind of ["cut", "outside", "over"]) expect(found[kind].length === 0, `${at}: ${kind}: ${found[kind].join(" | ")}`);
      const fields = await page.locator(".ask input, .ask button").evaluateAll((all) => all.filter((one) => {
        const box = one.getBoundingClientRect();
        return box.left < 0 || box.right > innerWidth || box.width < 20 || box.height < 20;
      }).length);
      expect(fields === 0, `${at}: ${fields} fields out of reach`);
      if (pictures) await page.screenshot({ path: path.join(out, `served-${name}-${width}-${scheme}.png`), fullPage: true });
      if (checks && isChecked(width, scheme)) {
        for (const violation of await violations(page)) expect(false, `${at}: ${violation}`);
      }
    }
  }
  await page.context().close();
}

// Of the form; charts have the words in their names too.
const field = (page, label) => page.locator(".ask").getByLabel(label, { exact: true });
const shown = (page, list) => page.locator(`#${list} tbody tr`).count();
const decision = (page) => page.locator(".facts code").last().textContent();

async function saved(page, click) {
  const [download] = await Promise.all([page.waitForEvent("download"), click()]);
  return { name: download.suggestedFilename(), text: fs.readFileSync(await download.path(), "utf8") };
}

// From all tenants to one, to its users, and back, by the keyboard's and the mouse's own ways.
async function isUsed(browser, script) {
  const name = script ? "with script" : "without script";
  const page = await open(browser, `${sample}/`, { script });
  const all = await shown(page, "tenants");
  expect(all === 17, `${name}: ${all} tenants`);
  const whole = await decision(page);

  await field(page, "As of").fill("2026-10-20");
  await field(page, "Days").fill("7");
  await field(page, "Days").press("Enter");
  await page.waitForURL(/as_of=2026-10-20&days=7/);
  expect(await decision(page) !== whole, `${name}: a range changes nothing`);
  expect((await page.locator(".facts").textContent()).includes("13 October 2026"), `${name}: ${await page.locator(".facts").textContent()}`);

  await page.goto(`${sample}/`);
  await field(page, "Tenant").fill("old MILL");
  await page.getByRole("button", { name: "Show" }).click();
  await page.waitForURL(/tenant=old/);
  expect(await field(page, "Tenant").inputValue() === "old MILL", `${name}: the search is forgotten`);
  expect(await shown(page, "tenants") === 1, `${name}: search: ${await shown(page, "tenants")} tenants`);
  expect((await page.locator(".found").textContent()).startsWith("1 tenant has"), `${name}: ${await page.locator(".found").textContent()}`);

  await page.locator("#tenants tbody a").click();
  await page.waitForURL(/\/tenants\/23220695/);
  expect(await page.getByRole("heading", { level: 1 }).textContent() === "Old Mill Printworks", `${name}: the tenant's name`);
  const users = await shown(page, "who");
  expect(users >= 3, `${name}: ${users} rows of users`);
  expect(await shown(page, "addresses") > 0, `${name}: no address`);
  for (const extension of ["csv", "json"]) {
    const file = await saved(page, () => page.getByRole("link", { name: `who.${extension}` }).click());
    expect(file.name === `who.${extension}` && file.text.includes("@oldmill.example.com"), `${name}: ${file.name}: ${file.text.slice(0, 80)}`);
    const rows = extension === "csv" ? file.text.trim().split("\n").length - 1 : JSON.parse(file.text).length;
    expect(rows >= users, `${name}: ${rows} rows of ${users} in ${file.name}`);
  }
  if (script) {
    const tools = page.locator("#left .tools");
    await tools.getByLabel("Filter").fill("imap");
    expect(await shown(page, "who") < users, `${name}: the filter of users`);
    await tools.getByLabel("Filter").fill("");
    await page.locator("#who").getByRole("button", { name: "Sign-ins" }).click();
    const counts = (await page.locator("#who tbody tr > *:nth-child(7)").allTextContents()).map((text) => Number(text.replaceAll(",", "")));
    expect(counts.every((n, at) => at === 0 || counts[at - 1] >= n), `${name}: not sorted: ${counts}`);
  }
  await field(page, "Days").fill("14");
  await page.getByRole("button", { name: "Show" }).click();
  await page.waitForURL(/days=14/);
  await page.getByRole("link", { name: "All tenants" }).click();
  await page.waitForURL(/\/\?as_of=2026-\d\d-\d\d&days=14$/);
  expect((await page.locator(".facts").textContent()).includes("14 days"), `${name}: the range is lost on the way back`);

  const file = await saved(page, () => page.getByRole("link", { name: "assessment.csv" }).first().click());
  expect(file.name === "assessment.csv" && file.text.trim().split("\n").length === 18, `${name}: ${file.name}: ${file.text.length}`);

  await page.goto(`${sample}/tenants/nobody`);
  await page.getByRole("link", { name: "The report of all tenants" }).click();
  expect(await shown(page, "tenants") === 17, `${name}: the way out`);
  await page.context().close();
}

async function holdsMany(browser) {
  const started = performance.now();
  const page = await open(browser, `${many}/`);
  const first = performance.now() - started;
  const again = performance.now();
  await page.goto(`${many}/`, { waitUntil: "load" });
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
  const ms = performance.now() - again;
  expect(ms < LOAD_MS_MAX, `many: usable only after ${Math.round(ms)} ms`);
  const status = await page.locator("#by-tenant output").textContent();
  expect(status.includes("10,000 rows"), `many: ${status}`);
  await page.locator("#by-tenant").getByLabel("Filter").fill("Tenant 4321 of");
  expect(await shown(page, "tenants") === 1, `many: filter: ${await shown(page, "tenants")}`);
  const csv = await saved(page, () => page.getByRole("link", { name: "assessment.csv" }).first().click());
  expect(csv.text.trim().split("\n").length === MANY + 1, "many: assessment.csv has other rows");

  const asked = performance.now();
  await field(page, "Tenant").fill("tenant9999.example");
  await page.getByRole("button", { name: "Show" }).click();
  await page.waitForURL(/tenant=tenant9999/);
  expect(await shown(page, "tenants") === 1, `many: search: ${await shown(page, "tenants")}`);
  const search = performance.now() - asked;
  const drilled = performance.now();
  await page.locator(".found a").first().click();
  await page.waitForURL(/\/tenants\//);
  expect(await shown(page, "who") > 0, "many: nobody on the tenant's page");
  console.log(`many: first ${Math.round(first)} ms, again usable after ${Math.round(ms)} ms, search ${Math.round(search)} ms, drill-down ${Math.round(performance.now() - drilled)} ms`);

  // The worst of names is text wherever it stands; a dialog would have been heard.
  await page.goto(`${many}/?tenant=onerror`);
  await page.locator(".found a").first().click();
  await page.waitForURL(/\/tenants\//);
  expect((await page.getByRole("heading", { level: 1 }).textContent()).includes("<img src=x"), "many: the hostile name is not shown");
  expect(await page.locator("img, main script").count() === 0, "many: a name has become markup");
  const hostile = page.url();
  await page.context().close();
  return hostile;
}

// What a page's own text would run does not run.
async function keepsPolicy(browser) {
  const page = await open(browser, `${sample}/tenants/nobody`);
  await page.goto(`${sample}/`);
  const ran = await page.evaluate(() => {
    // What the policy says about it is no error of the page.
    const script = document.createElement("script");
    script.textContent = "document.title = 'ran'";
    document.body.append(script);
    return document.title === "ran";
  });
  expect(!ran, "the policy lets a script run that is not the page's");
  await page.context().close();
}

async function main() {
  const browser = await browse();
  try {
    await isUsed(browser, true);
    await isUsed(browser, false);
    const hostile = await holdsMany(browser);
    const tenant = `${sample}/tenants/23220695-6f56-4566-aba9-b1fad220a1c8`;
    await looks(browser, `${sample}/`, "report");
    await looks(browser, `${sample}/?tenant=e&days=14`, "search");
    await looks(browser, tenant, "tenant");
    await looks(browser, `${sample}/tenants/d974cd3d-cc4d-4800-a917-aa301307b6dc`, "gaps");
    await looks(browser, hostile, "hostile");
    await looks(browser, `${sample}/?days=0`, "told");
    // Of many rows the script leaves a hundred in the page; the checker has seen them in the other.
    await looks(browser, `${many}/`, "many", false);
    const before = wrong.length;
    await keepsPolicy(browser);
    // The browser tells of the script that it has not run: that is what was asked for.
    const told = wrong.splice(before).filter((what) => !what.includes("Content Security Policy"));
    wrong.push(...told);
  } finally {
    await browser.close();
  }
  for (const what of wrong) console.error(what);
  if (wrong.length > 0) process.exit(1);
  console.log("served pages: used with and without script; they hold in light and dark, on a phone and a desk");
}

main().catch((error) => { console.error(error); process.exit(1); });
