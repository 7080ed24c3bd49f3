"""An agent of the OpenAI Agents SDK (`pip install openai-agents`), over chat completions.

sigmaloop run --agent examples/agents/openai_agents_sdk.py
"""

import json

from agents.tracing.provider import DefaultTraceProvider

from agents import Agent, FunctionTool, OpenAIChatCompletionsModel, Runner, set_trace_provider

set_trace_provider(DefaultTraceProvider())  # without the exporter, which wants the network


def tool_of(schema, call):
    function = schema["function"]

    async def invoke(_context, arguments):
        return call(function["name"], json.loads(arguments or "{}"))

    return FunctionTool(
        function["name"], function.get("description", ""), function["parameters"], invoke, strict_json_schema=False
    )


async def run(session):
    model = OpenAIChatCompletionsModel(model="target", openai_client=session.async_openai())
    tools = [tool_of(schema, session.call) for schema in session.tools]
    agent = Agent(name="agent", instructions=session.instructions, tools=tools, model=model)
    said, text = [], session.opening
    while text is not None:
        result = await Runner.run(agent, [*said, {"role": "user", "content": text}])
        said = result.to_input_list()
        text = session.say(str(result.final_output))
