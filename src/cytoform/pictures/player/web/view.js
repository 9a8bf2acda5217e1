// Marks the current cell in the list; the style sheet shows the cell named by the URL fragment, or the first.
function mark() {
  const links = [...document.querySelectorAll("nav a")];
  const shown = links.find(link => link.hash === location.hash) || links[0];
  for (const link of links) link.removeAttribute("aria-current");
  shown.setAttribute("aria-current", "true");
  shown.scrollIntoView({ block: "nearest", inline: "nearest" });
}
window.addEventListener("hashchange", mark);
mark();
