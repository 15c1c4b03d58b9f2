// A figure that computes in the page: the optical densities of a tile, and the two stain vectors that take it apart.
// Densities and amounts are those of histolab_lib.stain; a test compares the two.
(function () {
  "use strict";
  const DARKEST = 6, TISSUE = 0.15; // density of a value of 0; length of the density vector from which on there is tissue
  const LEAST_SINE = 1e-3; // two vectors nearer to each other than this are one

  const times = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const sum = (a, x, b, y) => a.map((value, k) => x * value + y * b[k]);
  const unit = (v) => v.map((value) => value / Math.sqrt(times(v, v)));
  const across = (v, towards) => unit(sum(towards, 1, v, -times(towards, v))); // at right angles to v, in their plane

  // two unit vectors at right angles that span the plane of two others: midway between them, and towards the first
  function axes([first, second]) {
    const along = unit(sum(first, 1, second, 1));
    return { along, up: across(along, first) };
  }

  // a unit vector turned towards another, in the plane of both
  function turned(vector, towards, degrees) {
    const angle = (degrees * Math.PI) / 180;
    return sum(vector, Math.cos(angle), across(vector, towards), Math.sin(angle));
  }

  // optical density of each channel; the pixels are those of a canvas, red, green, blue, opaque
  function densities(pixels) {
    const found = new Float64Array((pixels.length / 4) * 3);
    for (let i = 0; i < found.length; i += 1) {
      const value = pixels[Math.floor(i / 3) * 4 + (i % 3)];
      found[i] = value === 0 ? DARKEST : -Math.log10(value / 255);
    }
    return found;
  }

  // density vector times a vector, pixel by pixel
  function project(od, [red, green, blue]) {
    const found = new Float64Array(od.length / 3);
    for (let i = 0, at = 0; i < found.length; i += 1, at += 3) found[i] = od[at] * red + od[at + 1] * green + od[at + 2] * blue;
    return found;
  }

  const tissue = (od) => Array.from({ length: od.length / 3 }, (_, i) => Math.hypot(...od.subarray(3 * i, 3 * i + 3)) >= TISSUE);

  // amount of the first stain in each pixel by least squares, its column of the pseudo-inverse; null where both are one
  function amounts(od, [first, second]) {
    const cosine = times(first, second), square = times(first, first) * times(second, second) - cosine ** 2;
    if (square < LEAST_SINE ** 2) return null;
    return project(od, sum(first, times(second, second) / square, second, -cosine / square));
  }

  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

  // the value that so large a share of the values does not exceed
  const percentile = (values, share) => Array.from(values).sort((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? 0;

  function correlation(a, b) {
    const [ma, mb] = [mean(a), mean(b)];
    let [ab, aa, bb] = [0, 0, 0];
    a.forEach((value, i) => {
      ab += (value - ma) * (b[i] - mb);
      aa += (value - ma) ** 2;
      bb += (b[i] - mb) ** 2;
    });
    return ab / Math.sqrt(aa * bb);
  }

  // the true amounts, and where tissue holds hardly any hematoxylin, and where much, as in nuclei: of the amount that 1 %
  // of the pixels exceed at most a tenth, and at least a half
  function known(amount, isTissue) {
    const top = percentile(amount, 0.99), where = (test) => [...amount.keys()].filter(test);
    return { amount, alone: where((i) => isTissue[i] && amount[i] <= 0.1 * top), nuclei: where((i) => amount[i] >= 0.5 * top) };
  }

  // what is told about two vectors: not finite where nothing can be
  function measure(od, pair, start, truth) {
    const [first, second] = pair, component = amounts(od, pair), { along, up } = axes(start);
    const told = {
      component,
      degrees: (Math.acos(Math.min(1, Math.max(-1, times(first, second)))) * 180) / Math.PI,
      crossed: times(first, up) * times(second, along) < times(second, up) * times(first, along),
      clipped: NaN, correlation: NaN, alone: NaN,
    };
    if (component === null) return told;
    told.clipped = component.filter((value) => value < 0).length / component.length;
    component.forEach((value, i) => { component[i] = Math.max(0, value); });
    if (truth) {
      const seen = (where) => mean(where.map((i) => component[i]));
      told.correlation = correlation(component, truth.amount);
      told.alone = seen(truth.alone) / seen(truth.nuclei);
    }
    return told;
  }

  if (typeof document === "undefined") {
    module.exports = { unit, turned, densities, tissue, known, measure };
    return;
  }
  if (window.histolabStains) return; // the script stands beside every figure that needs it, and runs once
  window.histolabStains = true;

  const SIZE = 704, LEFT = 100, BOTTOM = 78, RIGHT = 24, WIDE = SIZE - LEFT - RIGHT;
  const NEAR = -0.12, SPAN = 1.24; // what is shown, in units of the length that nearly all densities stay below
  const MOST_TURN = 30;
  const STAINS = [["hematoxylin", "#0072B2"], ["eosin", "#D55E00"]];
  const INK = "#000000", GROUND = "#FFFFFF", GRID = "#BBBBBB";

  const element = window.histolabElement; // elements.js

  function canvasOf(width, height) {
    const canvas = element("canvas", { width, height });
    return { canvas, c: canvas.getContext("2d", { willReadFrequently: true }) };
  }

  // the pixels of a picture, none of them changed by how large it is shown
  function pixelsOf(photo) {
    const { c } = canvasOf(photo.naturalWidth, photo.naturalHeight);
    c.drawImage(photo, 0, 0);
    return c.getImageData(0, 0, photo.naturalWidth, photo.naturalHeight).data;
  }

  // a picture of amounts as a data URL: white is nothing, black so much or more
  function picture(found, width, height, most) {
    const { canvas, c } = canvasOf(width, height), shown = c.createImageData(width, height);
    for (let i = 0; i < width * height; i += 1) {
      shown.data.fill(found === null ? 255 : Math.round(255 * (1 - Math.min(1, found[i] / most))), 4 * i, 4 * i + 3);
      shown.data[4 * i + 3] = 255;
    }
    c.putImageData(shown, 0, 0);
    return canvas.toDataURL();
  }

  function haloed(c, text, x, y) {
    c.lineWidth = 6;
    c.lineJoin = "round";
    c.strokeStyle = GROUND;
    c.strokeText(text, x, y);
    c.fillText(text, x, y);
  }

  // frame, grid, words of the axes, and the densities in the colours of their pixels: what no slider moves
  function cloud(od, pixels, isTissue, view) {
    const { canvas, c } = canvasOf(SIZE, SIZE), { along, up, far, x, y } = view;
    c.fillStyle = GROUND;
    c.fillRect(0, 0, SIZE, SIZE);
    c.font = "24px sans-serif";
    c.lineWidth = 2;
    const step = far > 2.5 ? 1 : far > 1 ? 0.5 : far > 0.5 ? 0.2 : 0.1;
    for (let n = -20; n <= 20; n += 1) {
      const tick = n * step, words = tick.toFixed(1).replace("-", "\u2212");
      c.strokeStyle = n === 0 ? INK : GRID;
      c.lineWidth = n === 0 ? 2 : 1;
      c.fillStyle = INK;
      if (x(tick) >= LEFT && x(tick) <= LEFT + WIDE) {
        c.strokeRect(x(tick), SIZE - BOTTOM - WIDE, 0, WIDE);
        c.textAlign = "center";
        c.fillText(words, x(tick), SIZE - BOTTOM + 30);
      }
      if (y(tick) <= SIZE - BOTTOM && y(tick) >= SIZE - BOTTOM - WIDE) {
        c.strokeRect(LEFT, y(tick), WIDE, 0);
        c.textAlign = "right";
        c.fillText(words, LEFT - 8, y(tick) + 8);
      }
    }
    c.textAlign = "center";
    c.fillText("density along the middle of both, as at first", LEFT + WIDE / 2, SIZE - 12);
    c.save();
    c.translate(24, SIZE - BOTTOM - WIDE / 2);
    c.rotate(-Math.PI / 2);
    c.fillText("\u2190 towards eosin, towards hematoxylin \u2192", 0, 0);
    c.restore();
    c.save();
    c.beginPath();
    c.rect(LEFT, SIZE - BOTTOM - WIDE, WIDE, WIDE);
    c.clip();
    const right = project(od, along), high = project(od, up);
    isTissue.forEach((is, i) => {
      if (!is) return;
      c.fillStyle = `rgb(${pixels[4 * i]}, ${pixels[4 * i + 1]}, ${pixels[4 * i + 2]})`;
      c.fillRect(x(right[i]) - 2, y(high[i]) - 2, 4, 4);
    });
    c.restore();
    c.strokeStyle = INK;
    c.lineWidth = 2;
    c.strokeRect(LEFT, SIZE - BOTTOM - WIDE, WIDE, WIDE);
    return canvas;
  }

  // from no density to so far along a vector, white around it so that it is seen on the cloud
  function ray(c, view, vector, colour, width, dash) {
    const to = [view.x(times(vector, view.along) * view.reach), view.y(times(vector, view.up) * view.reach)];
    for (const [ink, wide] of [[GROUND, width + 4], [colour, width]]) {
      c.beginPath();
      c.moveTo(view.x(0), view.y(0));
      c.lineTo(...to);
      c.strokeStyle = ink;
      c.lineWidth = wide;
      c.setLineDash(ink === GROUND ? [] : dash);
      c.stroke();
      c.setLineDash([]);
    }
    return to;
  }

  function arrow(c, view, vector, name, colour, above) {
    const to = ray(c, view, vector, colour, 5, []), angle = Math.atan2(to[1] - view.y(0), to[0] - view.x(0));
    c.save();
    c.translate(...to);
    c.rotate(angle);
    c.beginPath();
    c.moveTo(10, 0);
    c.lineTo(-16, -12);
    c.lineTo(-16, 12);
    c.closePath();
    c.lineWidth = 3;
    c.strokeStyle = GROUND;
    c.stroke();
    c.fillStyle = colour;
    c.fill();
    c.restore();
    c.font = "bold 26px sans-serif";
    c.fillStyle = colour;
    c.textAlign = "center";
    const half = c.measureText(name).width / 2 + 6;
    haloed(c, name, Math.max(LEFT + half, Math.min(LEFT + WIDE - half, to[0])), to[1] + (above ? -22 : 40));
  }

  // what part of the plane is shown, where a density lies on it, and how long vectors are drawn
  function viewOf(od, isTissue, start) {
    const { along, up } = axes(start), right = project(od, along), high = project(od, up);
    const lengths = isTissue.flatMap((is, i) => (is ? [Math.hypot(right[i], high[i])] : []));
    const far = Math.max(0.3, percentile(lengths, 0.995)), scale = WIDE / (SPAN * far);
    const widest = Math.min(Math.PI / 2, Math.acos(times(start[0], along)) + (MOST_TURN * Math.PI) / 180);
    return {
      along, up, far,
      x: (value) => LEFT + (value - NEAR * far) * scale,
      y: (value) => SIZE - BOTTOM - WIDE / 2 - value * scale,
      reach: far * Math.min(0.85, 0.45 / Math.sin(widest)), // so that no turn takes an arrow or its name out of sight
    };
  }

  function picturesOf(parent, image, height, width) {
    const pictures = element("div", { class: "demo-pictures" }, parent);
    return [["The tile", image], ["Its hematoxylin, dark where there is much", ""]].map(([words, src]) => {
      const one = element("div", {}, pictures);
      // the theme gives no card of their own in dark mode to pictures of this class
      const shown = element("img", { alt: words, class: "dark-light", width, height, ...(src && { src }) }, one);
      element("p", { text: words }, one);
      return shown;
    });
  }

  function slider(side, id, name, other) {
    const words = element("label", { for: id, text: `${name} turned: ` }, side);
    const shown = element("output", { for: id }, words);
    const input = element("input", { type: "range", id, min: -MOST_TURN, max: MOST_TURN, step: 1, value: 0 }, side);
    const tell = () => {
      const degrees = Number(input.value), way = degrees > 0 ? `towards ${other}` : `away from ${other}`;
      shown.textContent = degrees === 0 ? "0\u00b0" : `${Math.abs(degrees)}\u00b0 ${way}`;
      input.setAttribute("aria-valuetext", degrees === 0 ? "0 degrees, as at first" : `${Math.abs(degrees)} degrees ${way}`);
    };
    return { input, tell };
  }

  function numbersOf(side, names) {
    const list = element("dl", { class: "demo-numbers", "aria-live": "polite" }, side);
    const cells = names.map((name) => {
      const row = element("div", { "aria-atomic": "true" }, list);
      element("dt", { text: name }, row);
      return element("dd", {}, row);
    });
    return (values) => cells.forEach((cell, n) => { if (cell.textContent !== values[n]) cell.textContent = values[n]; });
  }

  const said = (value, text) => (Number.isFinite(value) ? text(value) : "cannot be told");
  const percent = (value) => said(value, (share) => `${(100 * share).toFixed(1)} %`);

  const load = (base64) => new Promise((done) => {
    const photo = new Image();
    photo.addEventListener("load", () => done(photo));
    photo.src = `data:image/png;base64,${base64}`;
  });

  async function stains(figure, data, number) {
    const [photo, map] = await Promise.all([load(data.image), data.hematoxylin && load(data.hematoxylin)]);
    const { naturalWidth: width, naturalHeight: height } = photo, pixels = pixelsOf(photo);
    const od = densities(pixels), isTissue = tissue(od), start = data.start.map(unit), view = viewOf(od, isTissue, start);
    const truth = map && known(pixelsOf(map).filter((_, i) => i % 4 === 0), isTissue); // in any unit
    const most = Math.max(1e-6, percentile(amounts(od, start), 0.995)), still = cloud(od, pixels, isTissue, view);

    figure.querySelector(".demo-static").hidden = true;
    const body = element("div", { class: "demo-body" }, figure);
    const words = [
      data.title, data.words, "Horizontal: optical density along the middle of both vectors as at first;",
      "vertical: across it, hematoxylin above, eosin below.", ...(data.vectors ? ["Dashed: the true vectors, seen on this plane."] : []),
    ];
    const left = element("div", { class: "demo-plane demo-side" }, body);
    const canvas = element("canvas", { width: SIZE, height: SIZE, role: "img", "aria-label": words.join(" ") }, left);
    const moved = STAINS.map(([name], n) => slider(left, `stains-${number}-${n}`, name, STAINS[1 - n][0]));
    const button = element("button", { type: "button", text: "as at first" }, left);
    const [, component] = picturesOf(body, photo.src, height, width);
    const tell = numbersOf(body, [
      "angle between the two", "pixels clipped at 0",
      ...(truth ? ["correlation with the true amount", "hematoxylin seen in eosin alone, as share of that in nuclei"] : []),
    ]);
    const c = canvas.getContext("2d");

    function show() {
      moved.forEach((one) => one.tell());
      const turns = moved.map((one) => Number(one.input.value));
      const pair = start.map((vector, n) => turned(vector, start[1 - n], turns[n]));
      const found = measure(od, pair, start, truth);
      c.drawImage(still, 0, 0);
      (data.vectors || []).forEach((vector, n) => ray(c, view, unit(vector), STAINS[n][1], 3, [10, 8]));
      if (data.vectors) {
        c.font = "24px sans-serif";
        c.textAlign = "right";
        c.fillStyle = INK;
        haloed(c, "dashed: true vectors", LEFT + WIDE - 12, SIZE - BOTTOM - WIDE + 30);
      }
      STAINS.forEach(([name, colour], n) => arrow(c, view, pair[n], name, colour, (n === 0) !== found.crossed));
      component.src = picture(found.component, width, height, most);
      tell([
        `${found.degrees.toFixed(1)}\u00b0${found.crossed ? ", crossed" : ""}`, percent(found.clipped),
        said(found.correlation, (value) => value.toFixed(3)), percent(found.alone),
      ]);
    }
    moved.forEach((one) => one.input.addEventListener("input", show));
    button.addEventListener("click", () => {
      moved.forEach((one) => { one.input.value = 0; });
      show();
    });
    show();
  }

  function build(figure, number) {
    stains(figure, JSON.parse(figure.querySelector("script[type='application/json']").textContent), number);
  }

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".demo[data-kind='stains']").forEach(build));
})();
