// What the page does beyond links: it works without this, too.
(() => {
  "use strict";
  const title = document.title;
  const show = () => {
    let cell = null;
    try { cell = document.getElementById(location.hash.slice(1)); } catch (_) { /* not an address of ours */ }
    const isCell = cell !== null && cell.classList.contains("cell");
    const heading = isCell ? cell.querySelector("h2") : null;
    document.title = heading ? `${heading.textContent} · ${title}` : title;
    if (!heading) return;
    window.scrollTo(0, 0);
    heading.focus({ preventScroll: true });
  };
  window.addEventListener("hashchange", show);
  show();

  document.querySelector(".skip").addEventListener("click", (event) => {
    const cell = document.querySelector(".cell:target h2");
    if (cell === null) return;
    event.preventDefault();  // the cell stays
    cell.focus();
  });

  document.querySelectorAll("button[data-copies]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copies);
      try {
        await navigator.clipboard.writeText(source.textContent);
      } catch (_) {
        getSelection().selectAllChildren(source);  // some browsers give pages from disk no clipboard
        document.execCommand("copy");
      }
      button.textContent = "Copied";
    });
  });

  // On paper there is nothing to open.
  window.addEventListener("beforeprint", () =>
    document.querySelectorAll("details").forEach((each) => {
      each.dataset.was = each.open ? "open" : "";
      each.open = true;
    }));
  window.addEventListener("afterprint", () =>
    document.querySelectorAll("details").forEach((each) => { each.open = each.dataset.was === "open"; }));
})();
