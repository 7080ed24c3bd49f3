"""Episodes with a tool and a scripted user: `sigmaloop benchmark check episode_benchmark:Library`."""

from sigmaloop import EpisodeBenchmark, Score, Task

SHELVES = {"Emma": "A3", "Ulysses": "J1", "Dracula": "S7"}
TITLE = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
FIND = {"name": "find", "description": "Find the shelf of a book.", "parameters": TITLE}


class Visit:  # a reader who asks for two books, one after the other
    instructions = "Tell the reader the shelf of each book."
    tools = ({"type": "function", "function": FIND},)

    def __init__(self, wanted):
        self.wanted, self.said, self.opening = list(wanted), [], f"Where is {wanted[0]}?"

    def act(self, name, arguments):
        return SHELVES.get(arguments.get("title"), "Error: no such book") if name == "find" else "Error: no tool"

    def say(self, text):
        self.said.append(text)
        return f"Thanks. And {self.wanted[1]}?" if len(self.said) == 1 else None

    def submit(self, answer):
        self.said.append(str(answer))

    def score(self):
        told = [SHELVES[title] in said for title, said in zip(self.wanted, self.said, strict=False)]
        return Score(reward=float(told == [True, True]), components={"told": sum(told) / 2}, missing="a shelf")


class Library(EpisodeBenchmark):
    name = "library"
    setting = "An agent helps the readers of a library to find books."

    def tasks(self, split):
        return [Task(id=f"{split}1-{a}+{b}", split=split) for a in SHELVES for b in SHELVES if a != b]

    def open(self, task_id, *, seed):
        return Visit(task_id.split("-")[1].split("+"))
