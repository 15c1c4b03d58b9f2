// Opens every page of the built book in Chromium and writes down what it finds as one JSON report; judges nothing.
// node page.mjs JOB.json, with JOB =
// {executable, base, site, pages, demos, ledger, missing, word, chapter, report, shots, limit_s}
import { chromium } from "playwright-core";
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";

const job = JSON.parse(await readFile(process.argv[2], "utf8"));
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const host = new URL(job.base).host;

// A page with everything that it does to console and network written down, and the network cut but for the book.
async function open(browser, width, scheme) {
  const context = await browser.newContext({
    viewport: { width, height: 844 },
    colorScheme: scheme,
    reducedMotion: "reduce", // no half-finished transition in a colour or a screenshot
  });
  const page = await context.newPage();
  const seen = { console: [], errors: [], failed: [], outside: [] };
  await page.route("**/*", (route) => {
    const url = new URL(route.request().url());
    if (url.host === host || !url.protocol.startsWith("http")) return route.continue();
    seen.outside.push(url.href);
    return route.abort();
  });
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) seen.console.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("response", (response) => {
    if (response.status() >= 400) seen.failed.push({ status: response.status(), url: response.url() });
  });
  page.on("requestfailed", (request) => {
    if (new URL(request.url()).host === host) seen.failed.push({ status: 0, url: request.url() });
  });
  return { context, page, seen };
}

// Loaded, mathematics set, fonts there.
async function settle(page, address) {
  const response = await page.goto(address, { waitUntil: "load" });
  await page.evaluate(async () => {
    const late = new Promise((done) => setTimeout(done, 10_000)); // what is not there by then is reported as missing
    await Promise.race([late, (async () => (await window.MathJax?.startup?.promise, document.fonts.ready))()]);
  });
  await still(page);
  return response.status();
}

// Icons drawn, transitions over: a colour half-way to another is no fact.
async function still(page) {
  await page.evaluate(async () => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const late = new Promise((done) => setTimeout(done, 2_000)); // some never end
    await Promise.race([late, Promise.allSettled(document.getAnimations().map((animation) => animation.finished))]);
    await new Promise((done) => requestAnimationFrame(done));
  });
}

function facts() {
  const root = document.documentElement;
  const all = (selector) => [...document.querySelectorAll(selector)];
  const links = (selector) => all(selector).map((link) => link.href);
  const short = (element) => `${element.tagName.toLowerCase()}.${element.className}`.slice(0, 90);
  return {
    title: document.title,
    language: root.lang,
    description: document.querySelector('meta[name="description"]')?.content ?? "",
    heading: all("#main-content h1").find((e) => !e.closest(".onlyprint"))?.firstChild?.textContent ?? "",
    widths: { page: root.scrollWidth, window: root.clientWidth },
    overhanging: all("body *")
      .filter((e) => e.getBoundingClientRect().right > root.clientWidth + 1 && getComputedStyle(e).position !== "fixed")
      .slice(0, 4)
      .map(short),
    math: {
      expected: all(".math").length,
      bare: all(".math").filter((e) => !e.querySelector("mjx-container")).length,
      faults: all("mjx-merror").map((e) => e.textContent),
    },
    images: all("img").map((e) => ({ src: e.src, alt: e.getAttribute("alt"), loaded: e.complete && e.naturalWidth > 0 })),
    theme: root.dataset.theme,
    background: getComputedStyle(document.body).backgroundColor,
    styled: links('link[rel="stylesheet"]').length,
    buttons: {
      download: links("a.btn-download-source-button, a.btn-download-notebook-button"),
      source: links("a.btn-source-file-button"),
      edit: links("a.btn-source-edit-button"),
      repository: links("a.btn-source-repository-button"),
      issues: links("a.btn-source-issues-button"),
      colab: links("a.btn-launch-colab"),
    },
    links: [...new Set(links("#main-content a[href], .bd-sidebar-primary a[href]"))].filter((url) =>
      url.startsWith(location.origin),
    ),
    provenance: all(".provenance").map((e) => e.textContent.trim()),
  };
}

// All rules, or those alone whose answer changes with the colours.
async function violations(page, rules) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  return page.evaluate(async (runOnly) => {
    const alike = [[".ledger tbody tr:nth-child(n+50)"]]; // a thousand rows of one kind take half a minute
    const result = await window.axe.run({ exclude: alike }, { resultTypes: ["violations"], ...(runOnly && { runOnly }) });
    return result.violations.map((rule) => ({
      impact: rule.impact,
      rule: rule.id,
      help: rule.help,
      where: rule.nodes.map((node) => `${node.target.join(" ")}: ${node.html.slice(0, 120)}`),
    }));
  }, rules);
}

// One page at one width in both colour schemes: opened in the first, switched to the second while open.
async function look(browser, name, width, schemes) {
  const { context, page, seen } = await open(browser, width, schemes[0]);
  const missing = name === job.missing;
  const status = await settle(page, job.base + name);
  const views = [];
  for (const [index, scheme] of schemes.entries()) {
    await page.emulateMedia({ colorScheme: scheme });
    await page
      .waitForFunction((wanted) => document.documentElement.dataset.theme === wanted, scheme, { timeout: 3000 })
      .catch(() => {}); // the report says which theme it is
    await still(page);
    const view = { page: missing ? "404.html" : name, width, scheme, status, ...(await page.evaluate(facts)) };
    view.axe = await violations(page, index ? ["color-contrast", "link-in-text-block"] : null);
    for (const kind of Object.keys(seen)) view[kind] = seen[kind].splice(0);
    if (missing) forgive(view, job.base + name);
    const file = `${view.page.replace(/\.html$/, "").replace(/\W+/g, "_")}_${width}_${scheme}.png`;
    await page.screenshot({ path: `${job.shots}/${file}`, fullPage: true, animations: "disabled" });
    views.push(view);
  }
  await context.close();
  return views;
}

// The one answer of 404 that is meant, and the line that Chromium writes about it.
function forgive(view, address) {
  const meant = view.failed.findIndex((request) => request.url === address);
  if (meant < 0) return;
  view.failed.splice(meant, 1);
  const line = view.console.findIndex((text) => text.includes("404"));
  if (line >= 0) view.console.splice(line, 1);
}

const results = (page) =>
  page.locator("#search-results .search-summary", { hasText: /finished|found|match/i }).waitFor()
    .then(() => page.locator("#search-results li a").first().waitFor({ timeout: 5000 }))
    .catch(() => {})
    .then(() => page.locator("#search-results li a").evaluateAll((links) => links.map((link) => link.href)));

// By address, and by Ctrl+K from a chapter.
async function search(browser) {
  const { context, page, seen } = await open(browser, 1280, "light");
  await settle(page, `${job.base}search.html?q=${encodeURIComponent(job.word)}`);
  const by_address = await results(page);
  await settle(page, job.base + job.chapter);
  await page.keyboard.press("Control+k");
  await page.locator("dialog input[type=search], .search-button__wrapper.show input[type=search]").first().waitFor();
  await page.keyboard.type(job.word);
  await Promise.all([page.waitForURL("**/search.html?*"), page.keyboard.press("Enter")]);
  const by_keys = await results(page);
  await context.close();
  return { word: job.word, by_address, by_keys, ...seen };
}

// The button overrides the system's colours.
async function theme(browser) {
  const { context, page } = await open(browser, 1280, "light");
  await settle(page, job.base + job.chapter);
  const modes = [];
  for (let i = 0; i < 3; i += 1) {
    await page.locator(".theme-switch-button:visible").first().click();
    modes.push(await page.evaluate(() => document.documentElement.dataset.mode));
  }
  await context.close();
  return modes;
}

// What each interactive figure shows, with each of its sliders at its first and at its last position, by keyboard.
async function demonstrations(browser) {
  const { context, page, seen } = await open(browser, 1280, "light");
  const found = [];
  for (const name of job.demos) {
    await settle(page, job.base + name);
    for (const figure of await page.locator(".demo").all()) {
      const shown = async () => ({
        numbers: await figure.locator("dl").innerText(),
        picture: await figure.locator("canvas").evaluate((canvas) => canvas.toDataURL()),
      });
      for (const slider of await figure.locator("input[type=range]").all()) {
        await slider.focus();
        const at = async (key) => (await page.keyboard.press(key), await still(page), shown());
        const before = await at("Home"); // from end to end: two neighbours may well look the same
        const after = await at("End");
        found.push({
          page: name,
          label: await slider.evaluate((e) => e.labels[0]?.textContent ?? ""),
          before: before.numbers,
          after: after.numbers,
          redrawn: before.picture !== after.picture,
        });
      }
    }
  }
  await context.close();
  return { found, ...seen };
}

// The tables of the claim ledger: narrowed down by keyboard, by address, from disk, and read without scripts.
async function ledger(browser) {
  if (!job.ledger) return null;
  const { context, page, seen } = await open(browser, 1280, "light");
  const box = page.locator("#ledger-claims");
  const state = () =>
    box.evaluate((e) => {
      const rows = [...e.querySelectorAll("tbody tr")], shown = rows.filter((row) => row.checkVisibility());
      const heads = [...e.querySelectorAll("thead th")].map((head) => head.textContent);
      const values = (name) => [...new Set(shown.map((row) => row.cells[heads.indexOf(name)].firstChild.textContent))];
      return {
        rows: rows.length,
        shown: shown.length,
        said: document.querySelector("#ledger-claims-words")?.form.querySelector("[role=status]").textContent ?? "",
        papers: values("paper"),
        severities: values("severity"),
        words: shown.filter((row) => row.textContent.toLowerCase().includes("unet")).length,
      };
    });
  await settle(page, job.base + job.ledger);
  const found = { all: await state() };
  await page.locator("#ledger-claims-words").focus();
  await page.keyboard.type("UNet");
  found.words = await state();
  await page.keyboard.press("Tab"); // to the first list, the papers
  await page.keyboard.press("ArrowDown");
  found.paper = await state();
  const gone = await box.locator("tbody tr[hidden]").last().getAttribute("id");
  await page.evaluate((key) => (location.hash = "#" + key), gone);
  await still(page);
  found.followed = await state();
  found.aim = await page.evaluate(() => {
    const { top, bottom } = document.querySelector("tr:target").getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  });
  await box.focus();
  const before = await box.evaluate((e) => e.scrollTop);
  await page.keyboard.press("PageUp");
  await page.waitForFunction((y) => document.querySelector("#ledger-claims").scrollTop < y, before, { timeout: 3000 }).catch(() => {});
  found.scrolled = before - (await box.evaluate((e) => e.scrollTop));
  await settle(page, `${job.base}${job.ledger}?paper=msal_net&severity=impossible`);
  found.asked = await state();
  await page.locator("form.ledger-filters", { has: page.locator("#ledger-claims-words") }).getByRole("button").press("Enter");
  await still(page);
  found.reset = await state();
  await page.goto(`file://${job.site}/${job.ledger}?paper=msal_net`);
  found.disk = await state();
  await context.close();
  const plain = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 1280, height: 844 } });
  const reader = await plain.newPage();
  await reader.goto(job.base + job.ledger);
  found.plain = {
    rows: await reader.locator("#ledger-claims tbody tr:visible").count(),
    controls: await reader.locator(".ledger-filters").count(),
  };
  await plain.close();
  return { ...found, ...seen };
}

// What every link inside the book answers, and the notebooks behind the download buttons.
async function fetched(browser, views) {
  const { context, page } = await open(browser, 1280, "light");
  const urls = new Set(views.flatMap((view) => [...view.links, ...view.buttons.download]).map((url) => url.split("#")[0]));
  const answers = {};
  for (const url of urls) {
    const answer = await page.request.get(url);
    answers[url] = { status: answer.status(), cells: url.endsWith(".ipynb") ? (await answer.json()).cells?.length : null };
  }
  await page.goto(job.base, { waitUntil: "commit" }); // which sends the reader on at once
  await page.waitForURL((url) => url.pathname !== new URL(job.base).pathname);
  const start = page.url();
  await context.close();
  return { answers, start };
}

const browser = await chromium.launch({
  executablePath: job.executable,
  args: ["--disable-background-networking", "--disable-component-update", "--disable-gpu", "--disable-quic", "--disable-sync", "--no-first-run"],
});
setTimeout(() => browser.close().finally(() => process.exit(3)), 1000 * job.limit_s).unref();
try {
  const names = [...job.pages, job.missing];
  const left = names.flatMap((name) => [[name, 1280, ["light", "dark"]], [name, 390, ["dark", "light"]]]);
  const views = [];
  const worker = async () => {
    for (let next = left.shift(); next; next = left.shift()) views.push(...(await look(browser, ...next)));
  };
  await Promise.all([worker(), worker()]);
  const report = { base: job.base, views, ...(await fetched(browser, views)), search: await search(browser), theme: await theme(browser), demos: await demonstrations(browser), ledger: await ledger(browser) };
  await writeFile(job.report, JSON.stringify(report, null, 1));
} finally {
  await browser.close();
}
