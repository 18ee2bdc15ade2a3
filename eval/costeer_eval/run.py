"""Asks every system every item that has no answer yet."""
import sys
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from tqdm import tqdm

from .client import Client, Refused
from .formats import Item
from .journal import Journal
from .systems import System


def run(items: list[Item], systems: list[System], journal: Journal, client: Client, options: dict, jobs: int) -> int:
    """Fills the journal; `options` are those of every request. Returns how many questions were refused. A server that does not answer ends
    the run with an exception; what was answered stays."""
    total = len(items) * len(systems)
    work = [(system, item) for system in systems for item in items if not journal.is_done(system.name, item.id)]

    def answered(system: System, item: Item) -> bool:
        row = {"system": system.name, "id": item.id}
        try:
            answer = client.ask(system.url, {**options, **system.body(item)})
        except Refused as refusal:
            journal.add({**row, "error": str(refusal)})
            return False
        journal.add({**row, "answer": answer.text, "tokens": answer.tokens, "seconds": round(answer.seconds, 4)})
        return True

    refused, running, queue = 0, set(), iter(work)
    with ThreadPoolExecutor(jobs) as pool, tqdm(total=total, initial=total - len(work), file=sys.stderr) as bar:
        while True:
            # No more than run at once, so that an exception ends the run soon.
            while len(running) < jobs and (job := next(queue, None)):
                running.add(pool.submit(answered, *job))
            if not running:
                return refused
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for one in done:
                refused += not one.result()
                bar.update()
