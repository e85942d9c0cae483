package io.github.elbo4j.cli.report;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Looks for faults in a page as a browser lays it out. */
public final class Page {
    /** Each gives a list of faults in words. */
    private static final List<String> CHECKS = List.of(
            // Pictures that cannot be seen, and those without words.
            """
            (async () => {
              const faults = [];
              for (const image of document.images) {
                try { await image.decode(); } catch { }
                if (!image.complete || image.naturalWidth === 0) faults.push('broken image: ' + image.alt);
                if (!image.alt.trim()) faults.push('image without words');
              }
              return faults;
            })()""",
            // Nothing is wider than the window, but for what scrolls in a box of its own.
            """
            (() => {
              const faults = [];
              const width = document.documentElement.scrollWidth;
              if (width > innerWidth) faults.push('wider than the window: ' + width);
              for (const e of document.body.querySelectorAll('*')) {
                const box = e.getBoundingClientRect();
                if (box.right > innerWidth + 1 && !e.closest('.scroll'))
                  faults.push('out of the window: ' + e.tagName + ' ' + e.textContent.slice(0, 40));
              }
              return faults;
            })()""",
            // Text that is cut off, leaves its drawing or covers other text.
            """
            (() => {
              const faults = [];
              for (const e of document.querySelectorAll('h1,h2,h3,p,dt,dd,b,td,th,label,legend,summary,figcaption,pre')) {
                const style = getComputedStyle(e);
                if (style.display !== 'inline' && style.overflowX !== 'auto' && e.scrollWidth > e.clientWidth + 1)
                  faults.push('cut off: ' + e.tagName + ' ' + e.textContent.slice(0, 40));
                if (style.overflowY === 'hidden' && e.scrollHeight > e.clientHeight + 1)
                  faults.push('cut off below: ' + e.tagName + ' ' + e.textContent.slice(0, 40));
              }
              for (const svg of document.querySelectorAll('svg')) {
                const frame = svg.getBoundingClientRect();
                const texts = [...svg.querySelectorAll('text')].map(e => [e, e.getBoundingClientRect()]);
                texts.forEach(([e, box], i) => {
                  if (box.left < frame.left - 1 || box.right > frame.right + 1
                      || box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
                    faults.push('leaves its drawing: ' + e.textContent);
                  for (const [other, its] of texts.slice(i + 1))
                    if (!e.matches('.label') && !other.matches('.label')
                        && Math.min(box.right, its.right) - Math.max(box.left, its.left) > 1
                        && Math.min(box.bottom, its.bottom) - Math.max(box.top, its.top) > 3)
                      faults.push('covers text: ' + e.textContent + ' / ' + other.textContent);
                });
              }
              return faults;
            })()""",
            // Contrast as WCAG 2.2 computes it, of everything that has text of its own.
            """
            (() => {
              const numbers = color => color.match(/[\\d.]+/g).map(Number);
              const luminance = color => {
                const [r, g, b] = numbers(color).map(c => c / 255)
                    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
              };
              const ground = e => {
                for (let at = e; at; at = at.parentElement) {
                  const color = getComputedStyle(at).backgroundColor;
                  if (numbers(color).length === 3) return color;
                }
                return matchMedia('(prefers-color-scheme: dark)').matches ? 'rgb(18,18,18)' : 'rgb(255,255,255)';
              };
              const faults = [];
              for (const e of document.body.querySelectorAll('*')) {
                const own = [...e.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.data.trim());
                if (!own || e.tagName === 'title' || e.tagName === 'desc' || e.tagName === 'SCRIPT') continue;
                const style = getComputedStyle(e);
                const [a, b] = [luminance(e.tagName === 'text' ? style.fill : style.color), luminance(ground(e))];
                const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
                if (contrast < 4.5) faults.push('contrast ' + contrast.toFixed(2) + ': ' + e.textContent.slice(0, 40));
              }
              return faults;
            })()""",
            // What a screen reader goes by.
            """
            (() => {
              const faults = [];
              if (!document.documentElement.lang) faults.push('no language');
              const levels = [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(e => Number(e.tagName[1]));
              if (levels.filter(level => level === 1).length !== 1) faults.push('not one main heading');
              levels.forEach((level, i) => {
                if (level > (i ? levels[i - 1] : 0) + 1) faults.push('heading skipped before h' + level);
              });
              const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
              if (new Set(ids).size !== ids.length) faults.push('an id stands twice');
              for (const e of document.querySelectorAll('svg[role=img]')) {
                const words = (e.getAttribute('aria-labelledby') || '').split(' ').map(id => document.getElementById(id));
                if (!words.every(word => word && word.textContent.trim())) faults.push('drawing without words');
              }
              return faults;
            })()""");

    private Page() {}

    /** {@return what is wrong with a file's page in the window and under the preferences that are set} */
    public static List<String> faults(Chromium chromium, Path file) throws Exception {
        chromium.open(file);
        List<String> faults = new ArrayList<>(layoutFaults(chromium));
        faults.addAll(chromium.complaints());
        for (String request : chromium.requests()) {
            if (!request.equals(file.toUri().toString())) {
                faults.add("request: " + request);
            }
        }
        return faults;
    }

    /** {@return what is wrong with the page that is open, as it looks now} */
    static List<String> layoutFaults(Chromium chromium) throws Exception {
        List<String> faults = new ArrayList<>();
        for (String check : CHECKS) {
            Object found = chromium.evaluate(check);
            if (!(found instanceof List<?> list)) {
                throw new AssertionError("a check gave " + found);
            }
            list.forEach(fault -> faults.add(String.valueOf(fault)));
        }
        return faults;
    }
}
