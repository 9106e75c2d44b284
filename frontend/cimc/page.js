// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
(() => {
'use strict';
const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));
all('.tools').forEach(e => { e.hidden = false; });

// Tables: a click or Enter on a head sorts, numbers from the largest, text from the first; again: the other way round.
all('table').forEach(table => {
  const heads = Array.from(table.tHead.rows[0].cells), body = table.tBodies[0];
  heads.forEach((head, column) => {
    const key = row => {
      const cell = row.cells[column];
      return cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
    };
    const sort = () => {
      const rows = Array.from(body.rows).map(row => [key(row), row]);
      if (!rows.length) return;
      const first = typeof rows[0][0] === 'number' ? 'descending' : 'ascending';
      const other = first === 'ascending' ? 'descending' : 'ascending';
      const order = head.getAttribute('aria-sort') === first ? other : first;
      const sign = order === 'ascending' ? 1 : -1;
      rows.sort((a, b) => a[0] === b[0] ? 0 : a[0] > b[0] ? sign : -sign);
      rows.forEach(pair => body.appendChild(pair[1]));
      heads.forEach(h => h.setAttribute('aria-sort', h === head ? order : 'none'));
    };
    head.tabIndex = 0;
    head.title = 'sorts by this column; again: the other way round';
    head.setAttribute('aria-sort', 'none');
    head.addEventListener('click', sort);
    head.addEventListener('keydown', e => {
      if (e.key !== 'Enter') if (e.key !== ' ') return;
      e.preventDefault();
      sort();
    });
  });
});

// Layers: pointing at one outlines its bars; a click keeps it, with the others dimmed and its numbers beside; the filter dims those
// without its letters, and hides their rows.
const style = document.head.appendChild(document.createElement('style'));
const buttons = all('.layers button'), filter = document.getElementById('filter'), panel = document.getElementById('picked');
let picked = -1, pointed = -1;
const has = name => name.toLowerCase().includes(filter.value.trim().toLowerCase());
const layerOf = e => {
  const found = /\ba(\d+)\b/.exec(e.getAttribute('class') || '');
  return found ? Number(found[1]) : -1;
};
const paint = () => {
  const chosen = buttons.map((b, i) => i).filter(i => picked >= 0 ? i === picked : has(buttons[i].title));
  const dims = picked >= 0 || filter.value.trim() !== '';
  const others = chosen.length ? ':not(' + chosen.map(i => '.a' + i) + ')' : '';
  style.textContent = (dims ? '.sched .bars rect[class^=a]' + others + '{opacity:.1}' : '') +
    (pointed >= 0 ? '.sched .bars .a' + pointed + '{stroke:CanvasText}' : '');
  buttons.forEach((b, i) => b.setAttribute('aria-pressed', i === picked));
};
const show = () => {
  panel.textContent = '';
  const row = picked >= 0 ? document.querySelector('#mapping tr[data-layer="' + picked + '"]') : null;
  if (!row) return;
  panel.appendChild(document.createElement('b')).textContent = buttons[picked].title;
  const list = panel.appendChild(document.createElement('dl'));
  Array.from(row.cells).forEach((cell, i) => {
    if (i === 1) return;
    list.appendChild(document.createElement('dt')).textContent = row.closest('table').tHead.rows[0].cells[i].textContent;
    list.appendChild(document.createElement('dd')).textContent = cell.textContent;
  });
};
const pick = layer => { picked = layer === picked ? -1 : layer; paint(); show(); };
const point = layer => { if (layer !== pointed) { pointed = layer; paint(); } };
const find = () => {
  buttons.forEach(b => { b.hidden = !has(b.title); });
  all('table').forEach(table => {
    const column = Array.from(table.tHead.rows[0].cells).findIndex(h => ['layer', 'value'].includes(h.textContent));
    if (column >= 0) Array.from(table.tBodies[0].rows).forEach(row => {
      row.hidden = !has(row.cells[column].title || row.cells[column].textContent);
    });
  });
  paint();
};
filter.addEventListener('input', find);
buttons.forEach((b, i) => {
  b.tabIndex = i ? -1 : 0;
  b.addEventListener('click', () => pick(i));
  b.addEventListener('pointerenter', () => point(i));
  b.addEventListener('pointerleave', () => point(-1));
  b.addEventListener('keydown', e => {
    const step = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0;
    let next = i + step;
    while (buttons[next] ? buttons[next].hidden : false) next += step;
    if (!step || !buttons[next]) return;
    e.preventDefault();
    buttons[next].focus();
  });
});
document.addEventListener('keydown', e => {
  if (e.key === '/' ? e.target !== filter : false) { e.preventDefault(); filter.focus(); }
  if (e.key === 'Escape') { filter.value = ''; picked = -1; find(); show(); }
});

// Drawings: the viewBox is what is seen of one.
all('svg.sched').forEach(svg => {
  const whole = svg.getAttribute('viewBox').split(' ').map(Number), number = new Intl.NumberFormat('en-US');
  const tools = svg.parentNode.previousElementSibling, out = tools.querySelector('output');
  const cross = document.createElementNS(svg.namespaceURI, 'line');
  let box = whole.slice(), from = null, moved = false, pointer = null;
  const look = (x, y, width) => {
    const height = width * whole[3] / whole[2];
    x = Math.min(Math.max(x, 0), whole[2] - width);
    y = Math.min(Math.max(y, 0), whole[3] - height);
    box = [x, y, width, height];
    svg.setAttribute('viewBox', box.map(v => Number(v.toFixed(3))).join(' '));
  };
  const zoom = (factor, x, y) => {
    const width = Math.min(Math.max(factor ? box[2] / factor : whole[2], whole[2] / 500), whole[2]), r = width / box[2];
    look(x - (x - box[0]) * r, y - (y - box[1]) * r, width);
  };
  // About the pointer if it is there: which share of what is seen is left of it, and above.
  const middle = factor => zoom(factor, box[0] + (pointer ? pointer[0] : .5) * box[2], box[1] + (pointer ? pointer[1] : .5) * box[3]);
  const move = (x, y) => look(box[0] + x * box[2], box[1] + y * box[3], box[2]);
  const at = e => new DOMPoint(e.clientX, e.clientY).matrixTransform(svg.getScreenCTM().inverse());
  const keys = {
    '+': () => middle(1.5), '=': () => middle(1.5), '-': () => middle(1 / 1.5), '0': () => middle(0),
    ArrowLeft: () => move(-.15, 0), ArrowRight: () => move(.15, 0), ArrowUp: () => move(0, -.15), ArrowDown: () => move(0, .15)
  };
  svg.tabIndex = 0;
  svg.setAttribute('aria-label', svg.getAttribute('aria-label') + ': + and - zoom, arrows move, 0 shows all');
  cross.setAttribute('class', 'cross');
  cross.setAttribute('y1', 0);
  cross.setAttribute('y2', whole[3]);
  cross.setAttribute('visibility', 'hidden');
  svg.appendChild(cross);
  svg.addEventListener('keydown', e => {
    if (!keys[e.key] || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    keys[e.key]();
  });
  all('button', tools).forEach(b => b.addEventListener('click', () => middle(Number(b.dataset.zoom))));
  svg.addEventListener('wheel', e => {
    if (!e.ctrlKey) if (!e.metaKey) return;
    e.preventDefault();
    zoom(Math.pow(1.002, -e.deltaY), at(e).x, at(e).y);
  }, {passive: false});
  svg.addEventListener('pointerdown', e => { from = e.pointerType === 'touch' ? null : at(e); moved = false; });
  svg.addEventListener('pointermove', e => {
    const p = at(e), cycle = (p.x - svg.dataset.left) / svg.dataset.scale;
    if (from) if (moved || Math.hypot(p.x - from.x, p.y - from.y) > box[2] / 250) {
      if (!moved) svg.setPointerCapture(e.pointerId);
      moved = true;
      look(box[0] + from.x - p.x, box[1] + from.y - p.y, box[2]);
    }
    pointer = [(at(e).x - box[0]) / box[2], (at(e).y - box[1]) / box[3]];
    const inside = cycle >= 0 ? Number(svg.dataset.cycles) >= cycle : false, title = e.target.querySelector('title');
    cross.setAttribute('visibility', inside ? 'visible' : 'hidden');
    cross.setAttribute('x1', at(e).x);
    cross.setAttribute('x2', at(e).x);
    out.textContent = inside ? 'cycle ' + number.format(Math.floor(cycle)) + (title ? ' \u00b7 ' + title.textContent : '') : '';
    point(layerOf(e.target));
  });
  svg.addEventListener('pointerup', () => { from = null; });
  svg.addEventListener('click', e => { if (!moved) if (e.target.closest('.bars')) pick(layerOf(e.target)); });
  svg.addEventListener('pointerleave', () => {
    from = pointer = null;
    cross.setAttribute('visibility', 'hidden');
    out.textContent = '';
    point(-1);
  });
});
window.addEventListener('beforeprint', () => all('details').forEach(d => { d.open = true; }));
})();
