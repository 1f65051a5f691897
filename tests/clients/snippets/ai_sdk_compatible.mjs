import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";

const glassbox = (baseURL, apiKey) => createOpenAICompatible({ name: "glassbox", baseURL, apiKey, includeUsage: true });

export async function ask(baseURL, apiKey, model, prompt) {
  const answer = await generateText({ model: glassbox(baseURL, apiKey)(model), prompt });
  return {
    text: answer.text,
    reasoning: answer.reasoningText,
    sources: answer.sources.map((each) => each.url),
    tokens: answer.usage.totalTokens,
  };
}

export async function stream(baseURL, apiKey, model, prompt) {
  const heard = { text: "", reasoning: "", sources: [], tokens: null };
  const answer = streamText({ model: glassbox(baseURL, apiKey)(model), prompt, onError: () => {} });
  for await (const part of answer.fullStream) {
    if (part.type === "text-delta") heard.text += part.text;
    if (part.type === "reasoning-delta") heard.reasoning += part.text;
    if (part.type === "source") heard.sources.push(part.url);
    if (part.type === "finish") heard.tokens = part.totalUsage.totalTokens;
    if (part.type === "error") throw part.error;
  }
  return heard;
}
