"""A LangChain agent: the session's tools become its tools.

sigmaloop run --agent examples/agents/create_agent.py
"""

from functools import partial

from langchain.agents import create_agent
from langchain_core.tools import StructuredTool


def tool_of(schema, call):
    function = schema["function"]
    return StructuredTool(
        name=function["name"],
        description=function.get("description", ""),
        args_schema=function["parameters"],
        func=lambda **arguments: call(function["name"], arguments),
    )


def run(session):
    tools = list(map(partial(tool_of, call=session.call), session.tools))
    agent = create_agent(session.chat_model(), tools, system_prompt=session.instructions)
    messages, text = [], session.opening
    while text is not None:
        messages = agent.invoke({"messages": [*messages, ("user", text)]})["messages"]
        text = session.say(messages[-1].text)
