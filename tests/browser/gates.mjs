// Opens a page of figures of gates from disk and writes down what each shows as it is moved; judges nothing.
// node gates.mjs JOB.json, with JOB = {executable, page, states, report}
import { chromium } from "playwright-core";
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";

const job = JSON.parse(await readFile(process.argv[2], "utf8"));
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// Numbers, where everything stands, and the pictures as they are drawn.
const shown = (figure) =>
  figure.evaluate((e) => ({
    numbers: Object.fromEntries([...e.querySelectorAll("dl div")].map((row) => [...row.children].map((one) => one.textContent))),
    sliders: [...e.querySelectorAll("input")].map((input) => ({ value: input.value, said: input.getAttribute("aria-valuetext"), label: input.labels[0].textContent })),
    map: e.querySelector("select").selectedOptions[0].textContent,
    pressed: [...e.querySelectorAll("button[aria-pressed=true]")].map((button) => button.textContent),
    canvas: e.querySelector("canvas").toDataURL(),
  }));

const theme = async (page, figure, scheme) => {
  await page.evaluate((name) => { document.documentElement.dataset.theme = name; }, scheme);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
  return (await shown(figure)).canvas;
};

const browser = await chromium.launch({ executablePath: job.executable, args: ["--disable-gpu"] });
try {
  const report = { seen: [], figures: [], axe: [], widths: [] };
  for (const [width, scheme] of [[1280, "light"], [390, "dark"]]) {
    const page = await (await browser.newContext({ viewport: { width, height: 844 }, offline: true })).newPage();
    page.on("console", (message) => report.seen.push(message.text()));
    page.on("pageerror", (error) => report.seen.push(String(error)));
    await page.goto(`file://${job.page}`);
    await page.waitForFunction(() => [...document.querySelectorAll(".demo")].every((figure) => figure.querySelector("dd")?.textContent));
    await page.evaluate((name) => { document.documentElement.dataset.theme = name; }, scheme);
    report.widths.push(await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]));
    await page.evaluate(axe);
    report.axe.push(...(await page.evaluate(async () => (await window.axe.run({ preload: false })).violations.map((rule) => [rule.impact, rule.id, rule.nodes[0].html]))));
    if (width < 1280) continue;
    for (const figure of await page.locator(".demo").all()) {
      const sliders = figure.locator("input[type=range]"), select = figure.locator("select");
      const found = { first: await shown(figure), states: [], keys: [], buttons: [] };
      for (const [map, ...at] of job.states) {
        await select.selectOption(String(map));
        for (const [n, value] of at.entries()) await sliders.nth(n).fill(String(value));
        found.states.push(await shown(figure));
      }
      for (const button of await figure.getByRole("button").all()) {
        await button.focus();
        await page.keyboard.press("Enter");
        found.buttons.push([await button.textContent(), await shown(figure)]);
      }
      await select.focus();
      await page.keyboard.press("ArrowDown");
      found.chosen = await shown(figure);
      for (const slider of await sliders.all()) { // the first is left shut while the second moves
        await slider.focus();
        const at = async (key) => (await page.keyboard.press(key), shown(figure));
        found.keys.push([await at("Home"), await at("ArrowRight"), await at("End")]);
      }
      found.themes = [await theme(page, figure, "light"), await theme(page, figure, "dark"), await theme(page, figure, "light")];
      found.legend = await figure.locator(".demo-legend").textContent();
      found.words = await figure.locator("canvas").getAttribute("aria-label");
      report.figures.push(found);
    }
  }
  await writeFile(job.report, JSON.stringify(report));
} finally {
  await browser.close();
}
