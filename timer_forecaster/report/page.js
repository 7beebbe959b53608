"use strict";
// Draws the pictures of a report. All texts are set as text, never as markup.
(() => {
  const DATA = JSON.parse(document.getElementById("report-data").textContent);
  const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  const DAY = 86400000;
  const LEAST_HISTORY = 48, HORIZONS_OF_HISTORY = 3, MARKED_HISTORY = 192, MOST_ROWS = 400;

  // ---- Elements

  function svg(name, attributes, parent, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    if (parent) parent.appendChild(made);
    return made;
  }

  function html(name, text, parent, attributes) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    for (const key in attributes || {}) made.setAttribute(key, attributes[key]);
    if (parent) parent.appendChild(made);
    return made;
  }

  function fillTable(place, heads, rows) {
    place.replaceChildren();
    const table = html("table", undefined, place);
    const head = html("tr", undefined, html("thead", undefined, table));
    for (const name of heads) html("th", name, head, { scope: "col" });
    const body = html("tbody", undefined, table);
    for (const [first, ...cells] of rows) {
      const row = html("tr", undefined, body);
      html("th", first, row, { scope: "row" });
      for (const cell of cells) html("td", cell, row);
    }
  }

  function legend(place, entries) {
    place.replaceChildren();
    for (const [name, kind, look, layers] of entries) {
      const entry = html("span", undefined, place);
      const sign = svg("svg", { viewBox: "0 0 26 12", "aria-hidden": "true" }, entry);
      // Nested bands add up: the sign of an inner one has as many layers.
      if (kind === "area") for (let k = 0; k < (layers || 1); k++) svg("rect", { x: 1, y: 1, width: 24, height: 10, class: look }, sign);
      else if (kind === "dot") svg("circle", { cx: 13, cy: 6, r: 4.5, class: look }, sign);
      else svg("path", { d: "M1 6H25", class: look }, sign);
      html("span", name, entry);
    }
  }

  // ---- Numbers and times

  const at = (whole, [exponent, base]) =>
    whole === null || whole === undefined ? NaN
      : exponent < 0 ? (whole + base) / Math.pow(10, -exponent) : (whole + base) * Math.pow(10, exponent);
  const unpacked = (wholes, scale) => wholes.map((one) => at(one, scale));

  function numberText(value, exponent) {
    if (!Number.isFinite(value)) return "–";
    if (value === 0) return "0"; // also of -0
    const size = Math.abs(value);
    if (size && (size >= 1e12 || size < 1e-4)) return value.toPrecision(5);
    const digits = Math.max(0, Math.min(12, -exponent));
    return value.toLocaleString("en-US", { maximumFractionDigits: digits });
  }

  function timesOf(calendar) {
    let now = calendar.s;
    const times = [now];
    for (const [step, count] of calendar.r)
      for (let i = 0; i < count; i++) times.push((now += step * calendar.g));
    return times;
  }

  const two = (number) => String(number).padStart(2, "0");

  function timeText(time, unit) {
    if (unit === "number") return String(time);
    const date = new Date(time), month = MONTHS[date.getUTCMonth()];
    if (unit === "month") return `${month} ${date.getUTCFullYear()}`;
    const day = `${date.getUTCDate()} ${month} ${date.getUTCFullYear()}`;
    if (unit === "day") return day;
    const clock = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
    return unit === "minute" ? `${day} ${clock}` : `${day} ${clock}:${two(date.getUTCSeconds())}`;
  }

  // Units of ticks: their key changes where a new one begins; two lines of text.
  const clockTick = (step) => ({
    key: (d) => Math.floor(d / step),
    texts: (d) => {
      const date = new Date(d), day = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
      const clock = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
      return [step < 60000 ? `${clock}:${two(date.getUTCSeconds())}` : clock, day];
    },
  });
  const dayTick = (step) => ({
    // Weeks begin on Monday: 1970 began on a Thursday.
    key: (d) => Math.floor((d / DAY + (step % 7 ? 0 : 3)) / step),
    texts: (d) => {
      const date = new Date(d);
      return [`${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`, String(date.getUTCFullYear())];
    },
  });
  const monthTick = (step) => ({
    key: (d) => Math.floor((new Date(d).getUTCFullYear() * 12 + new Date(d).getUTCMonth()) / step),
    texts: (d) => [MONTHS[new Date(d).getUTCMonth()], String(new Date(d).getUTCFullYear())],
  });
  const yearTick = (step) => ({
    key: (d) => Math.floor(new Date(d).getUTCFullYear() / step),
    texts: (d) => [String(new Date(d).getUTCFullYear()), ""],
  });
  const TICKS = [
    ...[1, 5, 15, 30].map((n) => clockTick(n * 1000)),
    ...[1, 5, 15, 30].map((n) => clockTick(n * 60000)),
    ...[1, 3, 6, 12].map((n) => clockTick(n * 3600000)),
    ...[1, 2, 7, 14].map(dayTick),
    ...[1, 3, 6].map(monthTick),
    ...[1, 2, 5, 10, 20, 50, 100].map(yearTick),
  ];

  // The finest unit with few enough ticks; where it has one or none, some of the next finer one.
  function dateTicks(times, from, to, most) {
    const write = (found, tick) => {
      let last = "";
      return found.map((i) => {
        const [text, more] = tick.texts(times[i]);
        const second = more === last ? "" : more;
        last = more;
        return [i, text, second];
      });
    };
    let finer = [], finerTick = null;
    for (const tick of TICKS) {
      const found = [];
      for (let i = Math.max(from, 1); i < to; i++)
        if (tick.key(times[i]) !== tick.key(times[i - 1])) found.push(i);
      if (found.length > most) { finer = found; finerTick = tick; continue; }
      if (found.length > 1 || !finerTick) return write(found, tick);
      const every = Math.ceil(finer.length / most);
      return write(finer.filter((_, k) => k % every === 0), finerTick);
    }
    return [];
  }

  function niceStep(extent, most) {
    const rough = extent / Math.max(1, most), power = Math.pow(10, Math.floor(Math.log10(rough)));
    return power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
  }

  function numberTicks(times, from, to, most) {
    const extent = times[to - 1] - times[from], step = Math.max(1, niceStep(extent || 1, most));
    const found = [];
    for (let i = from; i < to; i++)
      if (Math.floor(times[i] / step) !== Math.floor(times[i - 1] / step) && (i > from || times[i] % step === 0))
        found.push([i, String(Math.floor(times[i] / step) * step), ""]);
    return found;
  }

  function valueTicks(low, high, most) {
    const step = niceStep(high - low, most), found = [];
    for (let k = Math.ceil(low / step); k * step <= high + step * 1e-9; k++) found.push(k * step);
    return { ticks: found, exponent: Math.floor(Math.log10(step)) };
  }

  // ---- A plane with axes, a cursor and keys

  class Plane {
    constructor(place, width, height, label) {
      this.left = 58; this.right = 12; this.top = 10; this.bottom = 40;
      this.width = width; this.height = height;
      this.root = svg("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", tabindex: 0, "aria-label": label }, null);
      place.replaceChildren(this.root);
    }
    setX(from, to) {
      const room = this.width - this.left - this.right;
      this.from = from; this.to = to;
      this.x = (i) => this.left + (room * (i - from)) / Math.max(1, to - 1 - from);
      this.step = (px) => Math.max(from, Math.min(to - 1, Math.round(from + ((px - this.left) / room) * Math.max(1, to - 1 - from))));
    }
    setY(low, high, bottom) {
      if (!(high > low)) { const room = Math.abs(high) / 10 || 1; low -= room; high += room; }
      const pad = (high - low) * 0.04;
      low -= pad; high += pad;
      this.low = low; this.high = high; this.floor = bottom;
      this.y = (v) => this.top + Math.max(0, Math.min(1, (high - v) / (high - low))) * (bottom - this.top);
    }
    drawAxes(ticksOfX, labels) {
      for (const value of labels.ticks) {
        const y = this.y(value);
        svg("path", { d: `M${this.left} ${y}H${this.width - this.right}`, class: "grid" }, this.root);
        svg("text", { x: this.left - 6, y: y + 4, "text-anchor": "end" }, this.root, labels.text ? labels.text(value) : numberText(value, labels.exponent));
      }
      const base = this.height - this.bottom;
      svg("path", { d: `M${this.left} ${base}H${this.width - this.right}`, class: "axis" }, this.root);
      for (const [i, text, more] of ticksOfX) {
        const x = this.x(i);
        svg("path", { d: `M${x} ${base}v5`, class: "axis" }, this.root);
        const anchor = x > this.width - 30 ? "end" : "middle";
        svg("text", { x, y: base + 18, "text-anchor": anchor }, this.root, text);
        if (more) svg("text", { x, y: base + 33, "text-anchor": anchor }, this.root, more);
      }
    }
    line(points, look, parent) {
      let path = "", open = false;
      for (const [i, value] of points) {
        if (Number.isFinite(value)) {
          path += `${open ? "L" : "M"}${this.x(i).toFixed(1)} ${this.y(value).toFixed(1)}`;
          open = true;
        } else open = false;
      }
      if (path) svg("path", { d: path, class: look }, parent || this.root);
      this.dots(points, look, parent);
    }
    // Values without neighbors make no line: they are dots.
    dots(points, look, parent) {
      const there = (k) => k >= 0 && k < points.length && Number.isFinite(points[k][1]);
      points.forEach(([i, value], k) => {
        if (there(k) && !there(k - 1) && !there(k + 1))
          svg("circle", { cx: this.x(i), cy: this.y(value), r: 2.6, class: `dot ${look}` }, parent || this.root);
      });
    }
    area(lower, upper, look, parent) {
      let part = [];
      const draw = () => {
        if (part.length > 1) {
          const there = part.map(([i, , v]) => `${this.x(i).toFixed(1)} ${this.y(v).toFixed(1)}`);
          const back = part.slice().reverse().map(([i, v]) => `${this.x(i).toFixed(1)} ${this.y(v).toFixed(1)}`);
          svg("path", { d: `M${there.join("L")}L${back.join("L")}Z`, class: look }, parent || this.root);
        } else if (part.length) {
          const [[i, low, high]] = part, x = this.x(i);
          svg("rect", { x: x - 3, width: 6, y: this.y(high), height: Math.max(1, this.y(low) - this.y(high)), class: look }, parent || this.root);
        }
        part = [];
      };
      lower.forEach(([i, low], k) => {
        const high = upper[k][1];
        if (Number.isFinite(low) && Number.isFinite(high)) part.push([i, low, high]);
        else draw();
      });
      draw();
    }
    follow(tell, readout, hint) {
      const cursor = svg("path", { class: "cursor", visibility: "hidden" }, this.root);
      let now = this.to - 1;
      const show = (i) => {
        now = i;
        cursor.setAttribute("d", `M${this.x(i)} ${this.top}V${this.height - this.bottom}`);
        cursor.setAttribute("visibility", "visible");
        readout.textContent = tell(i);
      };
      readout.textContent = hint;
      const point = (event) => {
        const box = this.root.getBoundingClientRect();
        show(this.step(((event.clientX - box.left) / box.width) * this.width));
      };
      this.root.addEventListener("pointermove", point);
      this.root.addEventListener("pointerdown", point);
      this.root.addEventListener("keydown", (event) => {
        const far = Math.max(1, Math.round((this.to - this.from) / 20));
        const next = { ArrowLeft: now - 1, ArrowRight: now + 1, PageUp: now - far, PageDown: now + far, Home: this.from, End: this.to - 1 }[event.key];
        if (next === undefined) return;
        event.preventDefault();
        show(Math.max(this.from, Math.min(this.to - 1, next)));
      });
    }
  }

  const mostTicks = (width) => Math.max(2, Math.floor((width - 70) / 85));

  function redrawnOnResize(place, draw) {
    let width = place.clientWidth;
    new ResizeObserver(() => {
      if (Math.abs(place.clientWidth - width) > 1) { width = place.clientWidth; draw(); }
    }).observe(place);
  }

  // ---- A series, unpacked

  function levelsText(low, high) {
    if (Math.abs(low + high - 1) < 1e-9) return `${Number((100 * (high - low)).toPrecision(3))} % interval`;
    return `${low} to ${high}`;
  }

  class Series {
    constructor(packed, part) {
      const [calendar, place] = packed.a;
      part.times = part.times || [];
      const all = (part.times[calendar] = part.times[calendar] || timesOf(part.calendars[calendar]));
      this.times = all.slice(place, place + packed.n);
      this.unit = part.calendars[calendar].u;
      this.observed = packed.l; this.first = packed.b; this.scale = packed.e;
      this.values = unpacked(packed.v, this.scale);
      this.block = packed.k || 1;
      this.low = unpacked(packed.lo || [], this.scale);
      this.high = unpacked(packed.hi || [], this.scale);
      this.about = packed.t || "";
      this.odd = packed.o ? packed.o.map(([i, whole]) => [i, at(whole, this.scale)]) : null;
      this.fans = packed.f.map((fan) => this.fan(fan));
      this.columns = (packed.x || []).map((number) => this.column(part.pool[number]));
    }
    fan(packed) {
      const every = packed.k || 1, curves = packed.q.map((one) => unpacked(one, this.scale));
      const levels = packed.n, places = levels.map((_, k) => k);
      const below = places.filter((k) => levels[k] < 0.5).sort((a, b) => levels[a] - levels[b]);
      const above = places.filter((k) => levels[k] > 0.5).sort((a, b) => levels[b] - levels[a]);
      const pairs = Math.min(below.length, above.length);
      const count = curves.length ? curves[0].length : 0;
      return {
        start: packed.s, every, levels, curves, model: packed.m || 0, window: packed.w || "",
        end: packed.s + (count - 1) * every + 1,
        bands: below.slice(0, pairs).map((low, k) => [low, above[k]]),
        singles: [...below.slice(pairs), ...above.slice(pairs)],
        median: levels.indexOf(0.5),
        points: (k) => curves[k].map((value, j) => [packed.s + j * every, value]),
        at: (i, k) => ((i - packed.s) % every ? NaN : curves[k][(i - packed.s) / every]),
      };
    }
    column(packed) {
      if (packed.n) return { name: packed.c, start: packed.s, labels: packed.n, codes: packed.v };
      return { name: packed.c, start: packed.s, scale: packed.e, values: unpacked(packed.v, packed.e) };
    }
    value(i) { return i >= this.first && i < this.observed ? this.values[i - this.first] : NaN; }
    columnText(column, i) {
      const k = i - column.start;
      if (k < 0) return "–";
      if (column.labels) return column.codes[k] === null || column.codes[k] === undefined ? "–" : column.labels[column.codes[k]];
      return numberText(column.values[k], column.scale[0]);
    }
    text(value) { return numberText(value, this.scale[0]); }
    time(i) { return timeText(this.times[i], this.unit); }
  }

  // ---- A gallery: one series at a time

  class Gallery {
    constructor(root, part) {
      this.root = root; this.part = part; this.cache = new Map();
      const number = root.dataset.part, named = (name) => document.getElementById(name + number);
      this.choose = { find: named("find"), series: named("series"), order: named("order"), model: named("model"), window: named("window"), history: named("history") };
      this.names = Array.from(this.choose.series.options, (option) => option.textContent);
      this.picture = root.querySelector(".picture");
      this.details = root.querySelector(".behind");
      root.querySelector(".rule").textContent = part.rule;
      this.listen();
      this.list();
      redrawnOnResize(this.picture, () => this.draw());
    }
    listen() {
      const { find, series, order, model, window: windows, history } = this.choose;
      series.addEventListener("change", () => this.show());
      order.addEventListener("change", () => { this.list(); });
      if (find) find.addEventListener("input", () => this.list());
      for (const one of [model, windows, history]) one.addEventListener("change", () => this.draw());
      this.details.addEventListener("toggle", () => this.fill());
      for (const button of this.root.querySelectorAll("[data-move]"))
        button.addEventListener("click", () => this.move(Number(button.dataset.move)));
      this.root.querySelectorAll(".jumps button").forEach((button, k) =>
        button.addEventListener("click", () => this.jump(...this.part.jumps[k])));
    }
    // Fill the list of series, in the order that is chosen, with those whose names match.
    list() {
      const { find, series, order } = this.choose, words = find ? find.value.toLowerCase().split(/\s+/) : [];
      const kept = this.part.orders[Number(order.value || 0)].filter((k) => words.every((word) => this.names[k].toLowerCase().includes(word)));
      const before = Number(series.value), first = kept.length ? kept[0] : before;
      const shown = kept.length ? kept : [before];
      series.replaceChildren(...shown.map((k) => new Option(this.names[k], k)));
      this.note = kept.length ? "" : "No name matches; the series before is still shown. ";
      const stays = find && document.activeElement === find && kept.includes(before);
      series.value = stays ? before : first;
      this.show();
    }
    move(by) {
      const { series } = this.choose, count = series.options.length;
      series.selectedIndex = (series.selectedIndex + by + count) % count;
      this.show();
    }
    jump(number, window) {
      const { find, series, order, window: windows } = this.choose;
      if (find && find.value) { find.value = ""; this.list(); }
      if (order.options.length) order.value = order.value || "0";
      series.value = number;
      this.show();
      windows.value = window;
      this.draw();
    }
    show() {
      const { series, window: windows } = this.choose, number = Number(series.value);
      if (!this.cache.has(number)) this.cache.set(number, new Series(this.part.charts[number], this.part));
      this.now = this.cache.get(number);
      const names = [...new Set(this.now.fans.map((fan) => fan.window))].filter(Boolean);
      const all = this.part.apart && names.length > 1 ? [new Option("all windows", "")] : [];
      windows.replaceChildren(...all, ...names.map((name) => new Option(name, name)));
      if (!all.length && names.length) windows.value = names[names.length - 1];
      const count = series.options.length, most = this.names.length;
      this.root.querySelector(".found").textContent = `${this.note}Series ${series.selectedIndex + 1} of ${count}${count < most ? ` that match, of ${most} in all` : ""}: ${this.names[number]}`;
      this.root.querySelector(".name").textContent = this.names[number];
      const about = this.root.querySelector(".about");
      about.textContent = this.now.about;
      about.hidden = !this.now.about;
      this.draw();
    }
    // The forecasts of the model and window that are chosen.
    fans() {
      const model = Number(this.choose.model.value || 0), window = this.choose.window.value;
      return this.now.fans.filter((fan) => fan.model === model && (!window || fan.window === window));
    }
    range(fans) {
      const marked = Boolean(this.now.odd), starts = marked ? [] : fans.map((fan) => fan.start);
      const start = Math.min(this.now.observed, ...starts);
      const longest = marked ? MARKED_HISTORY / HORIZONS_OF_HISTORY : Math.max(1, ...fans.map((fan) => fan.end - fan.start));
      const end = fans.length && !marked ? Math.max(...fans.map((fan) => fan.end)) : this.now.times.length;
      const near = Math.min(start, Math.max(LEAST_HISTORY, HORIZONS_OF_HISTORY * longest));
      const before = [near, 4 * near, start][Number(this.choose.history.value)];
      return { from: Math.max(0, start - before), to: Math.min(this.now.times.length, Math.max(end, start + 1)), start };
    }
    draw() {
      const series = this.now, fans = this.fans(), { from, to, start } = this.range(fans);
      const width = Math.max(280, this.picture.clientWidth), strips = series.columns.length;
      const main = width < 560 ? 280 : 360, strip = 66, height = main + strips * strip;
      const plane = new Plane(this.picture, width, height, this.label(fans, from, to));
      plane.setX(from, to);
      const history = this.history(from, start), later = this.later(fans, from, to, start);
      this.setY(plane, fans, history, later, from, to, main - 40);
      const ticks = series.unit === "number" ? numberTicks : dateTicks;
      plane.drawAxes(ticks(series.times, from, to, mostTicks(width)), valueTicks(plane.low, plane.high, 5));
      this.drawSeries(plane, fans, history, later, start);
      series.columns.forEach((column, k) => this.drawColumn(plane, column, from, to, main - 40 + 12 + k * strip, strip - 14));
      this.legend(fans, later);
      plane.follow((i) => this.tell(i, fans), this.root.querySelector(".readout"), "Point at the picture, or focus it and use the arrow keys, to read values.");
      this.fill();
    }
    label(fans, from, to) {
      const series = this.now, median = fans.length && fans[0].median >= 0 ? fans[0].curves[fans[0].median] : [];
      const parts = [`Line chart of ${this.names[Number(this.choose.series.value)]}, ${series.time(from)} to ${series.time(to - 1)}.`];
      if (median.length) parts.push(`The median forecast goes from ${series.text(median[0])} to ${series.text(median[median.length - 1])}.`);
      if (series.columns.length) parts.push(`Below: ${series.columns.map((one) => one.name).join(", ")}.`);
      parts.push("The table after the picture has the values.");
      return parts.join(" ");
    }
    // Points of the history, and areas for its blocks.
    history(from, start) {
      const series = this.now, points = [], low = [], high = [];
      series.low.forEach((value, k) => {
        const i = k * series.block + (series.block - 1) / 2;
        if (i >= from) { low.push([i, value]); high.push([i, series.high[k]]); }
      });
      for (let i = Math.max(from, series.first); i < start; i++) points.push([i, series.value(i)]);
      return { points, low, high };
    }
    // Values of the windows, which came after the origins.
    later(fans, from, to, start) {
      const points = [];
      for (let i = Math.max(from, start - 1); i < Math.min(to, this.now.observed); i++) points.push([i, this.now.value(i)]);
      return start < this.now.observed ? points : [];
    }
    setY(plane, fans, history, later, from, to, bottom) {
      let low = Infinity, high = -Infinity;
      const take = (value) => { if (Number.isFinite(value)) { low = Math.min(low, value); high = Math.max(high, value); } };
      for (const points of [history.points, history.low, history.high, later]) for (const [, value] of points) take(value);
      // Bounds of what was expected may be far away: they are drawn up to the edge.
      const room = this.now.odd && high > low ? 0.35 * (high - low) : Infinity, least = low - room, most = high + room;
      for (const fan of fans) fan.curves.forEach((curve) => curve.forEach((value, j) => {
        const i = fan.start + j * fan.every;
        if (i >= from && i < to) take(room === Infinity ? value : Math.max(least, Math.min(most, value)));
      }));
      plane.setY(low === Infinity ? 0 : low, high === -Infinity ? 1 : high, bottom);
    }
    drawSeries(plane, fans, history, later, start) {
      const series = this.now;
      if (history.low.length) plane.area(history.low, history.high, "blocks");
      if (history.low.length && history.points.length) history.points.unshift([history.low[history.low.length - 1][0], NaN]);
      for (const fan of fans) {
        const last = [fan.start - 1, series.value(fan.start - 1)], opened = fan.start > plane.from && Number.isFinite(last[1]) && !series.odd;
        const points = (k) => (opened ? [last, ...fan.points(k)] : fan.points(k)).filter(([i]) => i >= plane.from && i < plane.to);
        const look = fan.bands.length > 2 ? "band many" : "band";
        for (const [low, up] of fan.bands) plane.area(points(low), points(up), look);
        for (const k of fan.singles) plane.line(points(k), "single");
        if (fan.median >= 0) plane.line(points(fan.median), "median");
        if (fan.start > plane.from && fan.start < plane.to && !series.odd)
          svg("path", { d: `M${plane.x(fan.start - 1)} ${plane.top}V${plane.floor}`, class: "origin" }, plane.root);
      }
      plane.line(history.points, "history");
      plane.line(later, series.odd ? "history" : "observed");
      for (const [i, value] of series.odd || [])
        if (i >= plane.from && i < plane.to && Number.isFinite(value)) svg("circle", { cx: plane.x(i), cy: plane.y(value), r: 5, class: "odd" }, plane.root);
    }
    drawColumn(plane, column, from, to, top, height) {
      const group = svg("g", {}, plane.root);
      svg("text", { x: plane.left, y: top + 9, class: "column-name" }, group, column.name);
      const floor = top + height, ceiling = top + 15;
      const stop = column.start + (column.labels ? column.codes : column.values).length;
      if (column.labels) {
        const shown = [...new Set(column.codes.slice(Math.max(0, from - column.start), Math.max(0, to - column.start)))].filter((code) => code !== null && column.labels[code] !== "");
        const lanes = Math.max(2, Math.min(4, shown.length)), tall = (floor - ceiling) / lanes;
        if (shown.length <= lanes)
          shown.forEach((code, k) => {
            const name = column.labels[code], short = name.length > 9 ? `${name.slice(0, 8)}…` : name;
            svg("text", { x: plane.left - 6, y: ceiling + (k + 0.5) * tall + 4, "text-anchor": "end", class: "lane" }, group, short);
          });
        let begin = Math.max(from, column.start);
        for (let i = begin + 1; i <= Math.min(to, stop); i++) {
          const code = column.codes[begin - column.start];
          if (i < Math.min(to, stop) && column.codes[i - column.start] === code) continue;
          if (code !== null && column.labels[code] !== "") {
            const lane = shown.indexOf(code) % lanes, x = Math.max(plane.left, plane.x(begin - 0.5));
            const room = Math.min(plane.width - plane.right, plane.x(i - 0.5)) - x;
            svg("rect", { x, y: ceiling + lane * tall + 1, width: Math.max(1, room), height: tall - 2, class: "category" }, group);
          }
          begin = i;
        }
        return;
      }
      const points = [], seen = [];
      for (let i = Math.max(from, column.start); i < Math.min(to, stop); i++) {
        const value = column.values[i - column.start];
        points.push([i, value]);
        if (Number.isFinite(value)) seen.push(value);
      }
      if (!seen.length) return;
      const low = Math.min(...seen), high = Math.max(...seen), text = (value) => numberText(value, column.scale[0]);
      svg("text", { x: plane.left - 6, y: floor, "text-anchor": "end" }, group, text(low));
      if (high > low) svg("text", { x: plane.left - 6, y: ceiling + 9, "text-anchor": "end" }, group, text(high));
      const y = plane.y;
      plane.y = (value) => floor - ((value - low) / (high - low || 1)) * (floor - ceiling);
      plane.line(points, "column", group);
      plane.y = y;
    }
    legend(fans, later) {
      const entries = [], series = this.now;
      entries.push([series.odd ? "observed" : "history", "line", "history"]);
      if (this.now.low.length && this.choose.history.value !== "0") entries.push(["lowest to highest of a block", "area", "blocks"]);
      if (later.length && !series.odd) entries.push(["observed", "line", "observed"]);
      const fan = fans[0];
      if (fan) {
        if (fan.median >= 0) entries.push([series.odd ? "expected" : "median forecast", "line", "median"]);
        const look = fan.bands.length > 2 ? "band many" : "band";
        fan.bands.forEach(([low, up], k) => entries.push([levelsText(fan.levels[low], fan.levels[up]), "area", look, k + 1]));
        for (const k of fan.singles) entries.push([`quantile ${fan.levels[k]}`, "line", "single"]);
      }
      if (series.odd) entries.push(["unusual", "dot", "odd"]);
      legend(this.root.querySelector(".legend"), entries);
    }
    tell(i, fans) {
      const series = this.now, parts = [];
      if (Number.isFinite(series.value(i))) parts.push(`observed ${series.text(series.value(i))}`);
      else if (i < series.first) {
        const k = Math.floor(i / series.block);
        parts.push(`${series.text(series.low[k])} to ${series.text(series.high[k])} in a block of ${series.block} steps`);
      } else if (i < series.observed) parts.push("no value");
      for (const fan of fans) {
        if (i < fan.start || i >= fan.end) continue;
        if (fan.median >= 0) parts.push(`median ${series.text(fan.at(i, fan.median))}`);
        for (const [low, up] of fan.bands) parts.push(`${levelsText(fan.levels[low], fan.levels[up])} ${series.text(fan.at(i, low))} to ${series.text(fan.at(i, up))}`);
        for (const k of fan.singles) parts.push(`quantile ${fan.levels[k]}: ${series.text(fan.at(i, k))}`);
      }
      if (series.odd && series.odd.some(([k]) => k === i)) parts.push("unusual");
      for (const column of series.columns) {
        const text = series.columnText(column, i);
        if (text !== "–" && text !== "") parts.push(`${column.name} ${text}`);
      }
      return `${series.time(i)}: ${parts.join("; ") || "nothing"}`;
    }
    fill() {
      if (!this.details.open) return;
      const series = this.now, fans = this.fans(), { from, to } = this.range(fans), first = fans[0];
      const begin = Math.max(from, to - MOST_ROWS, series.first - 1);
      const order = first ? first.levels.map((_, k) => k).sort((a, b) => first.levels[a] - first.levels[b]) : [];
      const heads = [this.part.time, "observed", ...order.map((k) => (first.levels[k] === 0.5 ? "median" : `quantile ${first.levels[k]}`)), ...series.columns.map((one) => one.name)];
      const rows = [];
      for (let i = Math.max(0, begin); i < to; i++) {
        const fan = fans.find((one) => i >= one.start && i < one.end);
        rows.push([series.time(i), series.text(series.value(i)), ...order.map((k) => (fan ? series.text(fan.at(i, k)) : "–")), ...series.columns.map((one) => series.columnText(one, i))]);
      }
      fillTable(this.details.querySelector(".scroll"), heads, rows);
    }
  }

  // ---- Curves of shares by step

  class Curves {
    constructor(root, part) {
      this.root = root; this.part = part;
      this.choose = document.getElementById("group" + root.dataset.part);
      this.picture = root.querySelector(".picture");
      this.details = root.querySelector(".behind");
      this.choose.addEventListener("change", () => this.draw());
      this.details.addEventListener("toggle", () => this.fill());
      this.draw();
      redrawnOnResize(this.picture, () => this.draw());
    }
    get curves() { return this.part.groups[Number(this.choose.value || 0)]; }
    draw() {
      const curves = this.curves, steps = curves.length ? curves[0].v.length : 1;
      const width = Math.max(280, this.picture.clientWidth), looks = ["a", "b", "c", "d"];
      const named = this.choose.selectedOptions[0] ? this.choose.selectedOptions[0].textContent : "";
      const plane = new Plane(this.picture, width, 240, `Line chart by step, ${named}: ${curves.map((one) => one.n).join(", ")}. The table after the picture has the values.`);
      const times = Array.from({ length: steps + 1 }, (_, i) => i);
      plane.setX(1, steps + 1);
      plane.setY(0, 1, 200);
      plane.drawAxes(numberTicks(times, 1, steps + 1, mostTicks(width)), { ticks: [0, 0.25, 0.5, 0.75, 1], text: (value) => `${100 * value} %` });
      curves.forEach((curve, k) => {
        const look = looks[k % 4];
        svg("path", { d: `M${plane.left} ${plane.y(curve.at)}H${width - plane.right}`, class: `nominal ${look}` }, plane.root);
        plane.line(curve.v.map((share, i) => [i + 1, share === null ? NaN : share / 10000]), `curve ${look}`);
      });
      const entries = curves.map((curve, k) => [curve.n, "line", `curve ${looks[k % 4]}`]);
      legend(this.root.querySelector(".legend"), entries.length ? [...entries, ["as it should be", "line", "nominal a"]] : []);
      const tell = (i) => `step ${i}: ${curves.map((curve) => `${curve.n} ${this.text(curve.v[i - 1])}`).join("; ")}`;
      plane.follow(tell, this.root.querySelector(".readout"), curves.length ? "Point at the picture, or focus it and use the arrow keys, to read values." : "This model forecasts points alone: it has no intervals.");
      this.fill();
    }
    text(share) { return share === null ? "–" : `${(share / 100).toFixed(1)} %`; }
    fill() {
      if (!this.details.open) return;
      const curves = this.curves, steps = curves.length ? curves[0].v.length : 0;
      const rows = Array.from({ length: steps }, (_, i) => [String(i + 1), ...curves.map((curve) => this.text(curve.v[i]))]);
      fillTable(this.details.querySelector(".scroll"), ["step", ...curves.map((curve) => curve.n)], rows);
    }
  }

  for (const root of document.querySelectorAll("section.gallery")) new Gallery(root, DATA[Number(root.dataset.part)]);
  for (const root of document.querySelectorAll("section.curves")) new Curves(root, DATA[Number(root.dataset.part)]);
  document.documentElement.dataset.drawn = "yes";
})();
