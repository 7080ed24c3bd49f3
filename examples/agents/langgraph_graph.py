"""A LangGraph graph as the agent: `run` is all that is added to it.

sigmaloop run --agent examples/agents/langgraph_graph.py
"""

from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langgraph.graph import END, START, MessagesState, StateGraph


def build(model, tools, call):
    """The graph as you have it: a model node, a tool node, and the edge between them."""

    def think(state):
        return {"messages": [model.bind_tools(tools).invoke(state["messages"])]}

    def act(state):
        calls = state["messages"][-1].tool_calls
        return {"messages": [ToolMessage(call(c["name"], c["args"]), tool_call_id=c["id"]) for c in calls]}

    graph = StateGraph(MessagesState)
    graph.add_node("think", think)
    graph.add_node("act", act)
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", lambda state: "act" if state["messages"][-1].tool_calls else END)
    graph.add_edge("act", "think")
    return graph.compile()


def run(session):
    graph = build(session.chat_model(), session.tools, session.call)
    messages, text = [SystemMessage(session.instructions)], session.opening
    while text is not None:
        messages = graph.invoke({"messages": [*messages, HumanMessage(text)]})["messages"]
        text = session.say(messages[-1].text)
