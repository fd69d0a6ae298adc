"use strict";
// The status wall: asks the API once a second and shows what it says. Text goes in as text, never as HTML.
const API = "/api/v1";
const PAGE = 60;
const $ = (id) => document.getElementById(id);
const tiles = new Map(); // camera id -> {root, key, busy, status}
let wanted = PAGE; // cameras shown
let clock = () => Date.now(); // the controller's clock

async function call(path, options) {
  const answer = await fetch(API + path, options);
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const problem = await answer.json().catch(() => ({ detail: `The API answered ${answer.status}.` }));
  throw new Error(problem.detail);
}

function text(root, selector, value) {
  const node = selector ? root.querySelector(selector) : root;
  if (node.textContent !== value) node.textContent = value;
}

const words = (reason) => (reason ?? "").replaceAll("_", " ");
const last = (minutes) => (minutes === 1 ? "last minute" : `last ${minutes} minutes`);
const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

function age(ms) {
  if (ms === null) return "";
  if (ms < 60000) return `${Math.round(ms / 1000)} s ago`;
  return ms < 3600000 ? `${Math.round(ms / 60000)} min ago` : `${Math.round(ms / 3600000)} h ago`;
}

// --- cameras ---------------------------------------------------------------------------------------------------

function makeTile(id) {
  const root = $("tile").content.firstElementChild.cloneNode(true);
  const tile = { root, key: "", busy: false, status: null };
  const base = `${API}/cameras/${encodeURIComponent(id)}`;
  root.querySelector(".view").href = `${base}/live.mjpeg`;
  root.querySelector(".play").onclick = () => openReplay(tile.status);
  root.querySelector(".remove").onclick = () => remove(tile.status);
  tiles.set(id, tile);
  return tile;
}

function showCamera(status) {
  const tile = tiles.get(status.camera_id) ?? makeTile(status.camera_id);
  const { root } = tile;
  const title = status.name || status.camera_id;
  tile.status = status;
  const online = status.state === "online";
  root.classList.toggle("dark", !online);
  root.querySelector(".dot").className = `dot ${status.state}`;
  root.querySelector(".view").setAttribute("aria-label", `Live view of ${title}, ${status.state}`);
  root.querySelector(".play").setAttribute("aria-label", `Replay ${title}`);
  root.querySelector(".remove").setAttribute("aria-label", `Delete ${title}`);
  text(root, "h3", title);
  root.querySelector("h3").title = status.camera_id;
  text(root, ".age", age(status.last_frame_age_ms));
  const why = status.reason && status.reason !== status.state ? `: ${words(status.reason)}` : "";
  text(root, ".why b", status.state[0].toUpperCase() + status.state.slice(1) + why);
  text(root, ".why span", status.remedy || status.detail);
  const objects = Object.entries(status.objects).map(([name, count]) => (count === 1 ? name : `${count} × ${name}`));
  text(root, ".seen", online ? objects.join(", ") || "nothing in view" : status.detail);
  text(root, ".worker", status.worker_id ? `on ${status.worker_id}` : "");
  showPicture(tile, status);
  return root;
}

async function showPicture(tile, status) {
  if (tile.busy || !status.result_key || tile.key === status.result_key) return;
  if (status.state !== "online" && tile.key) return; // the last picture stays behind the reason
  tile.busy = true;
  try {
    const path = `${API}/cameras/${encodeURIComponent(status.camera_id)}/snapshot-annotated.jpg?size=preview`;
    const answer = await fetch(path, { cache: "no-cache" });
    if (!answer.ok) return;
    const image = tile.root.querySelector("img");
    const former = image.src;
    image.src = URL.createObjectURL(await answer.blob());
    image.onload = () => former && URL.revokeObjectURL(former);
    tile.key = status.result_key;
  } catch {
    // The next second tries again, and the header says what is wrong.
  } finally {
    tile.busy = false;
  }
}

async function allStatuses() {
  const cameras = [];
  let farm = null;
  do {
    const cursor = farm ? `&cursor=${encodeURIComponent(farm.next_cursor)}` : "";
    farm = await call(`/status?limit=${Math.min(1000, wanted - cameras.length)}${cursor}`);
    cameras.push(...farm.cameras);
  } while (farm.next_cursor && cameras.length < wanted);
  return { farm, cameras };
}

function showFarm({ farm, cameras }) {
  const behind = farm.now_ms - Date.now();
  clock = () => Date.now() + behind;
  const source = farm.plan?.camera_source_error;
  text($("summary"), null, farm.summary);
  document.title = farm.summary.split(" · ")[0] + " · CamFarm";
  say(source ? `The external camera table: ${source}` : "");
  const seen = new Set(cameras.map((status) => status.camera_id));
  for (const [id, tile] of tiles) if (!seen.has(id)) { tile.root.remove(); tiles.delete(id); }
  cameras.forEach((status, place) => {
    const root = showCamera(status);
    if ($("tiles").children[place] !== root) $("tiles").insertBefore(root, $("tiles").children[place] ?? null);
  });
  $("empty").hidden = cameras.length > 0;
  $("more").hidden = !farm.next_cursor;
}

async function remove(status) {
  const title = status.name || status.camera_id;
  if (!confirm(`Delete ${title}? Its saved frames stay until they are too old.`)) return;
  try {
    await call(`/cameras/${encodeURIComponent(status.camera_id)}`, { method: "DELETE" });
    tick();
  } catch (error) {
    say(error.message, 8000);
  }
}

$("more").onclick = () => { wanted += PAGE; tick(); };

$("form").onsubmit = async (event) => {
  event.preventDefault();
  const form = event.target;
  const body = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value));
  const said = $("said");
  try {
    const headers = { "Content-Type": "application/json" };
    const camera = await call("/cameras", { method: "POST", headers, body: JSON.stringify(body) });
    form.reset();
    said.className = "";
    said.textContent = `${camera.name || camera.id} was added; a worker takes it in a moment.`;
    tick();
  } catch (error) {
    said.className = "bad";
    said.textContent = error.message;
  }
};

// --- workers ---------------------------------------------------------------------------------------------------

const bytes = (size) => (size < 1e6 ? `${(size / 1e3).toFixed(0)} kB` : `${(size / 1e6).toFixed(0)} MB`);

function element(name, className, content) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...[content].flat());
  return made;
}

function loadBar(load) {
  if (load === null) return "";
  const filled = element("i", "", "");
  filled.style.width = `${Math.min(100, load * 100)}%`;
  const track = element("span", `track${load > 1 ? " over" : load >= 0.85 ? " busy" : ""}`, filled);
  return element("div", "load", [track, element("span", "", `${(load * 100).toFixed(0)} %`)]);
}

function waiting(records, size, lost) {
  const words = records ? `${plural(records, "record")}, ${bytes(size)}` : "nothing";
  return lost ? element("span", "bad", `${words}, ${lost} lost`) : words;
}

function workerCells({ worker_id, alive, drain_asked, load, capacity_cores, labels, status }) {
  const state = !alive ? "gone" : status?.draining ? "leaving" : drain_asked ? "asked to leave" : "working";
  const name = element("span", "", worker_id);
  if (!status) return [name, state];
  const bar = alive ? loadBar(load) : "";
  if (bar) bar.title = `${(load * capacity_cores).toFixed(2)} of ${capacity_cores} cores`;
  return [name, state, bar, `${status.camera_ids.length} of ${status.max_cameras}`,
    waiting(status.spool_records, status.spool_bytes, status.spool_lost), `${status.detect_ms.toFixed(0)} ms`,
    status.frames_analysed, status.refused_writes, `${(status.rss_bytes / 1e6).toFixed(0)} MB`,
    labels.join(", "), `${status.model} · ${status.detector} · ${status.device}`];
}

function showWorkers(workers) {
  const rows = workers.map(workerCells);
  if (!rows.length) rows.push(["No worker runs. Start one with ./farm worker"]);
  $("workers-rows").replaceChildren(...rows.map((cells) => {
    const row = document.createElement("tr");
    for (const cell of cells) row.insertCell().append(cell);
    if (cells.length < 11) row.cells[cells.length - 1].colSpan = 12 - cells.length;
    return row;
  }));
}

function showLoad(farm) {
  const parts = [];
  if (farm.leader) {
    parts.push(`${farm.load_cores.toFixed(2)} of ${farm.capacity_cores.toFixed(2)} cores`);
    parts.push(`${plural(farm.required_workers, "worker")} required`);
    parts.push(`led by ${farm.leader.controller_id}`);
  } else parts.push("No manager leads. Is the controller running?");
  const { records, size_bytes, lost } = farm.spool;
  if (records || lost) parts.push(element("span", lost ? "bad" : "warn", ["waiting on disk: ", waiting(records, size_bytes, lost)]));
  if (farm.unplaced_total) {
    const [first] = farm.unplaced;
    parts.push(element("span", "warn", `${plural(farm.unplaced_total, "camera")} without a worker: ${words(first.reason)}. ${first.remedy}`));
  }
  $("load").replaceChildren(...parts.flatMap((part, place) => (place ? [" · ", part] : [part])));
}

// --- moves -----------------------------------------------------------------------------------------------------

function showMoves(farm, moves) {
  const counted = Object.entries(farm.moves_last_hour).sort(([, one], [, other]) => other - one);
  const said = counted.map(([reason, count]) => `${count} ${words(reason)}`).join(", ");
  text($("moves-hour"), null, `Last hour: ${said || "nothing moved"}`);
  $("moves-rows").replaceChildren(...moves.map((move) => {
    const way = [move.from_worker, move.to_worker ?? "nobody"].filter(Boolean).join(" → ");
    const time = element("time", "", new Date(move.recorded_at_ms).toLocaleTimeString());
    time.dateTime = new Date(move.recorded_at_ms).toISOString();
    const name = tiles.get(move.camera_id)?.status.name || move.camera_id;
    return element("li", "", [time, element("span", "way", `${name}: ${way}`), element("span", "quiet", words(move.reason))]);
  }));
}

// --- replay ----------------------------------------------------------------------------------------------------

let replayed = null;

function openReplay(status) {
  replayed = status;
  text($("replay-title"), null, `Replay · ${status.name || status.camera_id}`);
  $("replay").showModal();
  play();
}

async function play() {
  const minutes = Number($("replay-minutes").querySelector(":checked").value);
  const speed = $("replay-speed").querySelector(":checked").value;
  const to = clock();
  const range = `from_ms=${to - minutes * 60000}&to_ms=${to}`;
  const base = `/cameras/${encodeURIComponent(replayed.camera_id)}`;
  $("replay-mp4").href = `${API}${base}/playback.mp4?${range}&speed=${speed}`;
  $("replay-image").alt = `Replay of ${replayed.name || replayed.camera_id}`;
  const said = $("replay-said");
  try {
    const page = await call(`${base}/frames?${range}&limit=1000`);
    const count = page.items.length;
    $("replay-mp4").hidden = count === 0;
    said.textContent = count
      ? `${plural(count, "frame")}${page.next_cursor ? " and more" : ""} of the ${last(minutes)}, at ${speed}×`
      : `Nothing was saved in the ${last(minutes)}.`;
    if (count) $("replay-image").src = `${API}${base}/playback.mjpeg?${range}&speed=${speed}`;
    else $("replay-image").removeAttribute("src");
  } catch (error) {
    said.textContent = error.message;
  }
}

$("replay-minutes").onchange = $("replay-speed").onchange = play;
$("replay-close").onclick = () => $("replay").close();
$("replay").onclose = () => $("replay-image").removeAttribute("src"); // ends the stream

// --- once a second ---------------------------------------------------------------------------------------------

let heldUntil = 0; // until when the words in the red bar stand

function say(trouble, holdMs = 0) {
  if (!holdMs && Date.now() < heldUntil) return;
  heldUntil = Date.now() + holdMs;
  $("trouble").hidden = !trouble;
  text($("trouble"), null, trouble);
}

let ticking = false;

async function tick() {
  if (ticking || document.hidden) return;
  ticking = true;
  try {
    const seen = await allStatuses();
    showFarm(seen);
    showLoad(seen.farm);
    showWorkers((await call("/workers")).items);
    showMoves(seen.farm, (await call("/moves?limit=8")).items);
  } catch (error) {
    say(error instanceof TypeError ? "The API does not answer. Is the farm running?" : error.message);
  } finally {
    ticking = false;
  }
}

document.addEventListener("visibilitychange", tick);
setInterval(tick, 1000);
tick();
