// A figure that computes in the page: which cells a stack of dilated 3 x 3 convolutions sees, by how many paths, and how
// large its field is on the image. Counts are whole numbers; a test compares them with numpy's.
(function () {
  "use strict";

  // paths from each column of the field to the output cell: a layer passes on what it finds at -rate, 0 and +rate
  function profile(rates) {
    return rates.filter((rate) => rate > 0).reduce((before, rate) => {
      const after = new Array(before.length + 2 * rate).fill(0);
      before.forEach((paths, i) => [0, rate, 2 * rate].forEach((shift) => { after[i + shift] += paths; }));
      return after;
    }, [1]);
  }

  // paths from each cell, row after row: taps of a 3 x 3 kernel are a row of three times a column of three
  const paths = (along) => along.flatMap((row) => along.map((column) => row * column));

  // what is told about a stack whose cells stand for so many pixels of an image; weights are those of a pair of channels
  function measure(rates, stride, umPerPx, [height, width]) {
    const along = profile(rates), side = along.length, px = side * stride;
    return {
      side, px,
      um: px * umPerPx,
      most: Math.max(...along) ** 2,
      seen: (along.filter((count) => count > 0).length / side) ** 2,
      weights: 9 * rates.filter((rate) => rate > 0).length,
      dense: side ** 2,
      shown: (Math.min(px, height) * Math.min(px, width)) / px ** 2,
    };
  }

  const pure = { profile, paths, measure };
  if (typeof document === "undefined") {
    module.exports = pure;
    return;
  }
  if (window.histolabDilation) return; // the script stands beside every figure that needs it, and runs once
  window.histolabDilation = pure;

  const STRIDES = [1, 4, 8, 16, 32], MOST_RATE = 8;
  const SIZE = 704, TALL = 930, TOP = 4, WIDE = 656, BAR = 130, FOOT = 884; // of the canvas; FOOT is where bars stand
  const CELLS = 41; // shown at least; a larger field is drawn smaller, never cut
  const FAINTEST = 0.2; // of one path among many, so that it differs from none

  const element = window.histolabElement; // elements.js

  function set(made, attributes) {
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  const vector = (name, attributes, parent) =>
    parent.appendChild(set(document.createElementNS("http://www.w3.org/2000/svg", name), attributes));

  // book.css holds them, for both colour schemes
  function coloursOf(figure) {
    const style = getComputedStyle(figure);
    return Object.fromEntries(["ground", "ink", "line", "seen", "unseen"].map((name) => [name, style.getPropertyValue(`--demo-${name}`).trim()]));
  }

  function cellUnseen(c, colours, x, y, size) {
    c.fillStyle = colours.unseen;
    c.globalAlpha = 0.15;
    c.fillRect(x, y, size, size);
    c.globalAlpha = 1;
    c.beginPath();
    c.moveTo(x + 1, y + size - 1);
    c.lineTo(x + size - 1, y + 1);
    c.strokeStyle = colours.unseen;
    c.lineWidth = 2;
    c.stroke();
  }

  // the cells around the output cell, the darker the more paths lead from them; what lies in the field unseen is hatched
  function plane(c, colours, along, at) {
    const { cells, cell, left, top, first } = at, side = along.length, found = paths(along), most = Math.max(...found);
    c.fillStyle = colours.line;
    c.fillRect(left, top, cells * cell, cells * cell);
    for (let i = 0; i < cells * cells; i += 1) {
      const row = Math.floor(i / cells) - first, column = (i % cells) - first;
      const x = left + (column + first) * cell, y = top + (row + first) * cell;
      c.fillStyle = colours.ground;
      c.fillRect(x, y, cell - 1, cell - 1);
      if (Math.min(row, column) < 0 || Math.max(row, column) >= side) continue;
      const count = found[row * side + column];
      if (count === 0) { cellUnseen(c, colours, x, y, cell - 1); continue; }
      c.fillStyle = colours.seen;
      c.globalAlpha = most === 1 ? 1 : FAINTEST + (1 - FAINTEST) * Math.sqrt(count / most);
      c.fillRect(x, y, cell - 1, cell - 1);
      c.globalAlpha = 1;
    }
    c.strokeStyle = colours.ink;
    c.lineWidth = 4;
    c.strokeRect(left + first * cell - 1, top + first * cell - 1, side * cell + 1, side * cell + 1);
    c.beginPath(); // the output cell
    c.arc(left + (cells * cell - 1) / 2, top + (cells * cell - 1) / 2, 0.26 * cell, 0, 2 * Math.PI);
    c.fillStyle = colours.ground;
    c.fill();
    c.lineWidth = 2;
    c.stroke();
  }

  // how wide the field is, and the paths of the cells of its middle row
  function row(c, colours, along, at) {
    const { cell, left, first } = at, from = left + first * cell, to = from + along.length * cell - 1, level = TOP + WIDE + 16;
    c.strokeStyle = colours.ink;
    c.fillStyle = colours.ink;
    c.lineWidth = 2;
    c.beginPath();
    for (const x of [from, to]) { c.moveTo(x, level - 8); c.lineTo(x, level + 8); }
    c.moveTo(from, level);
    c.lineTo(to, level);
    c.stroke();
    c.font = "24px sans-serif";
    c.textAlign = "center";
    c.fillText(`${along.length} cell${along.length > 1 ? "s" : ""}`, SIZE / 2, level + 34);
    const middle = along[(along.length - 1) / 2], most = middle * Math.max(...along);
    c.fillText(`paths from each cell of the middle row, at most ${most}`, SIZE / 2, FOOT + 34);
    c.fillRect(left, FOOT, at.cells * cell, 2);
    c.fillStyle = colours.seen;
    along.forEach((count, i) => {
      const height = (BAR * count * middle) / most;
      c.fillRect(from + i * cell, FOOT - height, cell - 1, height);
    });
  }

  function draw(c, colours, along) {
    const cells = Math.max(CELLS, along.length + 2), cell = Math.floor(WIDE / cells), lost = WIDE - cells * cell;
    const at = { cells, cell, left: (SIZE - WIDE + lost) / 2, top: TOP + lost / 2, first: (cells - along.length) / 2 };
    c.fillStyle = colours.ground;
    c.fillRect(0, 0, SIZE, TALL);
    plane(c, colours, along, at);
    row(c, colours, along, at);
  }

  // 1, 2 or 5 with zeros: the longest bar of a scale that is not above so much
  function round(most) {
    const ten = 10 ** Math.floor(Math.log10(most));
    return ten * [5, 2, 1].find((digit) => digit * ten <= most);
  }

  // the tile, in pixels from its middle, with what is drawn on it
  function pictureOf(parent, src, [height, width], number) {
    const svg = vector("svg", { role: "img" }, parent), id = `dilation-${number}-hatch`;
    const hatch = vector("pattern", { id, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, vector("defs", {}, svg));
    const parts = { svg, hatch, tint: vector("rect", { class: "demo-tint" }, hatch), line: vector("rect", { class: "demo-hatch" }, hatch) };
    parts.ground = vector("rect", { class: "demo-ground" }, svg);
    vector("image", { href: src, x: -width / 2, y: -height / 2, width, height }, svg);
    parts.outside = vector("path", { class: "demo-outside", "fill-rule": "evenodd" }, svg);
    parts.unseen = vector("path", { class: "demo-unseen", fill: `url(#${id})` }, svg);
    for (const name of ["lattice", "halo", "field"]) parts[name] = vector("path", { class: `demo-${name}` }, svg);
    parts.bar = vector("rect", { class: "demo-bar" }, svg);
    parts.length = vector("text", {}, svg);
    return parts;
  }

  // the field on the tile, to scale: what does not fit makes the tile smaller
  function place(parts, along, stride, umPerPx, size) {
    const px = along.length * stride, view = 1.06 * Math.max(px, ...size), edge = -view / 2, from = -px / 2;
    const square = (at, whole) => `M${at} ${at}h${whole}v${whole}h${-whole}z`;
    const gaps = along.flatMap((count, i) => (count === 0 ? [from + i * stride] : []));
    const inner = view / stride > 80 ? [] : along.slice(1).map((_, i) => from + (i + 1) * stride); // else too dense to be seen
    set(parts.svg, { viewBox: `${edge} ${edge} ${view} ${1.13 * view}` });
    set(parts.ground, { x: edge, y: edge, width: view, height: 1.13 * view });
    set(parts.hatch, { width: view / 70, height: view / 70 });
    set(parts.tint, { width: view / 70, height: view / 70 });
    set(parts.line, { width: view / 220, height: view / 70 });
    set(parts.outside, { d: square(edge, view) + square(from, px) });
    set(parts.unseen, { d: gaps.map((at) => `M${from} ${at}h${px}v${stride}h${-px}zM${at} ${from}h${stride}v${px}h${-stride}z`).join("") });
    set(parts.lattice, { d: inner.map((at) => `M${from} ${at}h${px}M${at} ${from}v${px}`).join("") });
    set(parts.halo, { d: square(from, px) });
    set(parts.field, { d: square(from, px) });
    const length = round((view * umPerPx) / 3);
    set(parts.bar, { x: edge + 0.03 * view, y: -edge + 0.055 * view, width: length / umPerPx, height: 0.012 * view });
    set(parts.length, { x: edge + 0.05 * view + length / umPerPx, y: -edge + 0.08 * view, "font-size": 0.052 * view });
    parts.length.textContent = `${length} \u00b5m`;
  }

  function slider(side, id, name, most, value, words) {
    const label = element("label", { for: id, text: `${name}: ` }, side);
    const shown = element("output", { for: id }, label);
    const input = element("input", { type: "range", id, min: 0, max: most, step: 1, value }, side);
    const tell = () => {
      shown.textContent = words(Number(input.value));
      input.setAttribute("aria-valuetext", words(Number(input.value)));
    };
    return { input, tell };
  }

  function choice(side, id, name, values, value) {
    element("label", { for: id, text: name }, side);
    const made = element("select", { id }, side);
    values.forEach((one) => element("option", { value: one, text: one }, made));
    made.value = value;
    return made;
  }

  function legendOf(side) {
    const legend = element("p", { class: "demo-legend" }, side);
    const one = (kind, text) => {
      const words = element("span", {}, legend);
      element("span", { class: `demo-swatch demo-swatch-${kind}`, "aria-hidden": "true" }, words);
      return element("span", { text }, words);
    };
    const counted = one("seen", "");
    one("unseen", "in the field, but never seen");
    return (most) => { counted.textContent = most === 1 ? "1 path" : `1 to ${most} paths`; };
  }

  function numbersOf(side, names) {
    const list = element("dl", { class: "demo-numbers", "aria-live": "polite" }, side);
    const cells = names.map((name) => {
      const line = element("div", { "aria-atomic": "true" }, list);
      element("dt", { text: name }, line);
      return element("dd", {}, line);
    });
    return (values) => cells.forEach((cell, n) => { if (cell.textContent !== values[n]) cell.textContent = values[n]; });
  }

  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  const layersOf = (rates) => rates.filter((rate) => rate > 0).sort((a, b) => a - b).join(); // their order changes no path

  const load = (src) => new Promise((done) => {
    const photo = new Image();
    photo.addEventListener("load", () => done(photo));
    photo.src = src;
  });

  async function dilation(figure, data, number) {
    const photo = await load(`data:image/jpeg;base64,${data.image}`), size = [photo.naturalHeight, photo.naturalWidth];
    figure.querySelector(".demo-static").hidden = true;
    const body = element("div", { class: "demo-body" }, figure);
    const left = element("div", { class: "demo-side" }, body), right = element("div", { class: "demo-side" }, body);
    const words = [
      data.title, data.words, "The darker a cell, the more paths lead from it to the output cell, a dot in the middle;",
      "the field is outlined, and hatched where no path begins. Below, the paths of its middle row.",
    ];
    const canvas = element("canvas", { width: SIZE, height: TALL, role: "img", "aria-label": words.join(" ") }, left);
    const legend = legendOf(left), buttons = element("div", { class: "demo-buttons" }, left);
    const examples = data.examples.map(([name, rates]) => ({ rates, button: element("button", { type: "button", text: name }, buttons) }));
    const reset = element("button", { type: "button", text: "as at first" }, buttons);
    const layers = element("div", { class: "demo-layers" }, left);
    const rated = (rate) => (rate === 0 ? "not there" : `rate ${rate}`);
    const moved = data.rates.map((rate, n) => slider(layers, `dilation-${number}-${n}`, `layer ${n + 1}`, MOST_RATE, rate, rated));
    const picture = pictureOf(right, photo.src, size, number);
    element("p", { text: `The same field, to scale, on a tile of ${size[1]} \u00d7 ${size[0]} pixels. A cell stands for as many pixels across as the stride says; layers before it may look further.` }, right);
    const strides = choice(right, `dilation-${number}-stride`, "Pixels of the image that a cell is wide (stride)", STRIDES, data.stride_px);
    const tell = numbersOf(right, [
      "receptive field", "cells seen at least once", "weights per channel pair", "share of a dense kernel's", "field on the image", "of it on this tile",
    ]);
    const c = canvas.getContext("2d");

    function show() {
      moved.forEach((one) => one.tell());
      const values = moved.map((one) => Number(one.input.value)), stride = Number(strides.value), along = profile(values);
      const found = measure(values, stride, data.um_per_px, size);
      draw(c, coloursOf(figure), along);
      legend(found.most);
      place(picture, along, stride, data.um_per_px, size);
      const wide = `${found.px} px = ${found.um.toFixed(found.um < 10 ? 2 : 1)} \u00b5m`, share = percent(found.shown);
      picture.svg.setAttribute("aria-label", `The tile with the field on it, ${wide} wide and high; ${share} of the field lies on the tile.`);
      examples.forEach((one) => one.button.setAttribute("aria-pressed", layersOf(one.rates) === layersOf(values)));
      tell([
        `${found.side} \u00d7 ${found.side} cells`, percent(found.seen),
        String(found.weights), `${percent(found.weights / found.dense)} of ${found.dense}`, wide, share,
      ]);
    }
    function put(values) {
      values.forEach((value, n) => { moved[n].input.value = value; });
      show();
    }
    [...moved.map((one) => one.input), strides].forEach((one) => one.addEventListener("input", show));
    examples.forEach((one) => one.button.addEventListener("click", () => put(one.rates)));
    reset.addEventListener("click", () => {
      strides.value = data.stride_px;
      put(data.rates);
    });
    new MutationObserver(show).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    show();
  }

  function build(figure, number) {
    dilation(figure, JSON.parse(figure.querySelector("script[type='application/json']").textContent), number);
  }

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".demo[data-kind='dilation']").forEach(build));
})();
