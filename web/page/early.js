// Runs before the page is drawn: keeps what the user does while the page's modules load. Otherwise a click would be lost,
// and Enter in the text field would load the page again. demo.js takes over with `realtimeEarly.take()`.
"use strict";

(() => {
  let wish = null;  // "talk" or "send": the last one counts
  const onClick = (event) => { if (event.target.closest && event.target.closest("#talk")) keep(wish === "talk" ? null : "talk"); };
  const onSubmit = (event) => {
    event.preventDefault();
    if (event.target.id === "composer") keep("send");
  };
  const keep = (next) => {
    if (next === "send" && !document.getElementById("message").value.trim()) return;
    wish = next;
    const key = wish ? `status.loading_${wish}` : "status.loading";
    import("./language.js").then(({ setText }) => { if (window.realtimeEarly) setText(document.getElementById("state"), key); }, () => {});
  };
  document.addEventListener("click", onClick);
  document.addEventListener("submit", onSubmit);
  window.realtimeEarly = {
    take() {
      document.removeEventListener("click", onClick);
      document.removeEventListener("submit", onSubmit);
      window.realtimeEarly = null;
      return wish;
    },
  };
})();
