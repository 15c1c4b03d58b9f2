// Opens a page of stain figures from disk and writes down what each shows as its sliders move; judges nothing.
// node stains.mjs JOB.json, with JOB = {executable, page, turns, report}
import { chromium } from "playwright-core";
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";

const job = JSON.parse(await readFile(process.argv[2], "utf8"));
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// Words and numbers, the plane as it is drawn, and the grey values of the hematoxylin.
const shown = (figure) =>
  figure.evaluate(async (e) => {
    const [image] = [...e.querySelectorAll(".demo-pictures img")].slice(-1);
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    return {
      numbers: Object.fromEntries([...e.querySelectorAll("dl div")].map((row) => [...row.children].map((one) => one.textContent))),
      sliders: [...e.querySelectorAll("input")].map((input) => ({ value: input.value, said: input.getAttribute("aria-valuetext"), label: input.labels[0].textContent })),
      plane: e.querySelector("canvas").toDataURL(),
      grey: [...data].filter((_, i) => i % 4 === 0),
    };
  });

const browser = await chromium.launch({ executablePath: job.executable, args: ["--disable-gpu"] });
try {
  const report = { seen: [], figures: [], keys: [], axe: [], widths: [] };
  for (const [width, colorScheme] of [[1280, "light"], [390, "dark"]]) {
    const page = await (await browser.newContext({ viewport: { width, height: 844 }, colorScheme, offline: true })).newPage();
    page.on("console", (message) => report.seen.push(message.text()));
    page.on("pageerror", (error) => report.seen.push(String(error)));
    await page.goto(`file://${job.page}`);
    await page.locator(".demo dl dd").last().waitFor();
    report.widths.push(await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]));
    await page.evaluate(axe);
    report.axe.push(...(await page.evaluate(async () => (await window.axe.run({ preload: false })).violations.map((rule) => [rule.impact, rule.id, rule.nodes[0].html]))));
    if (width < 1280) continue;
    for (const figure of await page.locator(".demo").all()) {
      const sliders = figure.locator("input[type=range]"), states = [];
      for (const turns of job.turns) {
        for (const [n, degrees] of turns.entries()) await sliders.nth(n).fill(String(degrees));
        states.push(await shown(figure));
      }
      await figure.getByRole("button").focus();
      await page.keyboard.press("Enter");
      const keys = [await shown(figure)];
      for (const [n, key] of [[0, "End"], [1, "Home"]]) {
        await sliders.nth(n).focus();
        await page.keyboard.press(key);
        keys.push(await shown(figure));
      }
      report.figures.push({ states, keys, words: await figure.locator("canvas").getAttribute("aria-label") });
    }
  }
  await writeFile(job.report, JSON.stringify(report));
} finally {
  await browser.close();
}
