// A guest of a second toolchain (componentize-js): the Fetch API of a browser, as a component.
addEventListener("fetch", (event) => event.respondWith(answer(event.request)));

async function answer(request) {
  const path = new URL(request.url).pathname;
  if (path === "/echo") return new Response(request.body);
  if (path === "/throw") throw new Error("as asked");
  return new Response(`Hello from JavaScript at ${path}\n`, { headers: { "content-type": "text/plain" } });
}
