"""The agent of seed 003 on the real ADK, with a script in place of a model: no network, the same words every time."""

import re
from typing import AsyncGenerator

from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm, LlmRequest, LlmResponse
from google.genai import types

SIGNATURE = b"\xfb\xef\xbe thoughts about primes \xff"
USAGE = types.GenerateContentResponseUsageMetadata(
    prompt_token_count=120, candidates_token_count=12, thoughts_token_count=86, total_token_count=218
)


def find_nth_prime(n: int) -> int:
    """Finds the nth prime number."""
    primes: list[int] = []
    number = 2
    while len(primes) < n:
        if all(number % prime for prime in primes):
            primes.append(number)
        number += 1
    return primes[-1]


def text(words: str, thought: bool | None = None) -> types.Part:
    return types.Part(text=words, thought=thought)


def call(name: str, args: dict, signature: bytes | None = None) -> types.Part:
    return types.Part(function_call=types.FunctionCall(name=name, args=args), thought_signature=signature)


class Scripted(BaseLlm):
    model: str = "scripted-1"

    async def generate_content_async(
        self, request: LlmRequest, stream: bool = False
    ) -> AsyncGenerator[LlmResponse, None]:
        parts = self.answer(request)
        last = parts[-1]
        if stream and last.text:
            for piece in re.findall(r"\S+\s*", last.text):
                yield LlmResponse(content=types.Content(role="model", parts=[text(piece)]), partial=True)
        content = types.Content(role="model", parts=parts)
        yield LlmResponse(content=content, model_version=self.model, usage_metadata=USAGE, finish_reason="STOP")

    def answer(self, request: LlmRequest) -> list[types.Part]:
        last = request.contents[-1].parts
        results = [part.function_response.response for part in last if part.function_response]
        if results:
            return [text("That makes " + " and ".join(str(result.get("result")) for result in results) + ".")]
        asked = " ".join(part.text for part in last if part.text)
        if "bill" in asked:
            return [call("transfer_to_agent", {"agent_name": "billing"})]
        if "think" in asked:
            return [text("The user wants to know how I think.", True), text("One step after another.")]
        numbers = [int(number) for number in re.findall(r"\d+", asked)]
        if not numbers:
            return [text("Hello! I can find prime numbers. Which one would you like to know?")]
        first, *rest = [call("find_nth_prime", {"n": n}) for n in numbers]
        return [text("One moment."), types.Part(function_call=first.function_call, thought_signature=SIGNATURE), *rest]


class Billing(Scripted):
    def answer(self, request: LlmRequest) -> list[types.Part]:
        return [text("Billing here: primes are free.")]


root_agent = LlmAgent(
    name="root_agent",
    model=Scripted(),
    tools=[find_nth_prime],
    sub_agents=[LlmAgent(name="billing", description="Answers questions about bills.", model=Billing())],
)
