import { type JudgePrompt, reason, share } from './prompt.ts'

const trajectory = [
  {
    name: 'trajectory_prompts',
    title: 'What the agent was told, step by step',
    description: 'Prompts of the steps, as a JSON array.',
  },
  {
    name: 'trajectory_completions',
    title: 'What the agent did, step by step',
    description: 'Completions of the steps, as a JSON array.',
  },
] as const
const conversation = [
  { name: 'prompts', title: 'What the user said, in order', description: 'The user’s messages, as a JSON array.' },
  {
    name: 'completions',
    title: 'What the assistant answered, in order',
    description: 'The assistant’s messages, as a JSON array.',
  },
] as const
const bookingSteps = {
  trajectory_prompts: '["Search for flights", "Select the cheapest option", "Confirm booking"]',
  trajectory_completions: '["Found 5 flights", "Selected the flight for $299", "Booking confirmed"]',
}

export const agentEfficiency: JudgePrompt = {
  slug: 'agent-efficiency',
  name: 'Agent efficiency',
  description: 'The smaller of two scores: how far the agent did its task, and how few detours it made.',
  category: 'agent',
  needs: ['messages'],
  input: trajectory,
  instructions: `Judge the work of an agent twice.
Step efficiency: 1 if every step was needed; less for repeated, useless or roundabout steps; 0 if hardly any was of use.
Task completion: 1 if the task was done entirely; less for what is missing or wrong; 0 if it was not done.`,
  answer: [
    { ...reason, name: 'step_efficiency_reason', description: 'Which steps were not needed, if any.' },
    share('step_efficiency_score', 'Step efficiency.'),
    { ...reason, name: 'task_completion_reason', description: 'What of the task was done, and what was not.' },
    share('task_completion_score', 'Task completion.'),
  ],
  output: [
    { name: 'step_efficiency_score', type: 'number', description: 'How few detours it made, from 0 to 1.' },
    { name: 'step_efficiency_reason', type: 'string', description: 'Why.' },
    { name: 'task_completion_score', type: 'number', description: 'How far the task was done, from 0 to 1.' },
    { name: 'task_completion_reason', type: 'string', description: 'Why.' },
  ],
  threshold: 0.5,
  direction: 'higher',
  example: {
    input: bookingSteps,
    answer: {
      step_efficiency_reason: 'All steps were needed.',
      step_efficiency_score: 1,
      task_completion_reason: 'The booking is confirmed.',
      task_completion_score: 1,
    },
    value: 1,
    passed: true,
  },
}

export const agentFlowQuality: JudgePrompt = {
  slug: 'agent-flow-quality',
  name: 'Agent flow quality',
  description:
    'Share of the configured conditions that the agent’s steps fulfil; without conditions, how sound they are.',
  category: 'agent',
  needs: ['messages'],
  input: trajectory,
  instructions: `Judge the flow of an agent's steps.
If there are conditions below, the score is the share of them that the steps fulfil; check each. If there are none, the score is
how sound the flow is: each step follows from what came before, none contradicts another, and errors are dealt with.`,
  answer: [reason, share('score', 'The score.')],
  output: [
    { name: 'score', type: 'number', description: 'Share of the conditions that are fulfilled, from 0 to 1.' },
    { name: 'reason', type: 'string', description: 'Why.' },
    { name: 'success', type: 'boolean', description: 'Whether the score reaches the threshold.' },
  ],
  threshold: 0.5,
  direction: 'higher',
  example: {
    input: bookingSteps,
    answer: { reason: 'Each step follows from the one before.', score: 1 },
    value: 1,
    passed: true,
  },
}

export const agentGoalAccuracy: JudgePrompt = {
  slug: 'agent-goal-accuracy',
  name: 'Agent goal accuracy',
  description: 'How far the agent reached the goal as the reference describes it.',
  category: 'agent',
  needs: ['query', 'response', 'reference'],
  input: [
    { name: 'question', title: 'Goal', description: 'What the agent was asked to do.' },
    { name: 'completion', title: 'Outcome', description: 'What it says it did.' },
    { name: 'reference', title: 'Expected outcome', description: 'What should have come of it.' },
  ],
  instructions: `Decide how far the outcome matches the expected outcome, in all that matters to the goal.
1: the same outcome. Near 0.5: a part of it. 0: another outcome, or none. What the expected outcome does not mention does not matter.`,
  answer: [reason, share('accuracy_score', 'How far the goal was reached.')],
  output: [{ name: 'accuracy_score', type: 'number', description: 'How far the goal was reached, from 0 to 1.' }],
  threshold: 0.5,
  direction: 'higher',
  example: {
    input: {
      question: 'Book a flight from NYC to LA for next Monday',
      completion: 'I have booked your flight from New York to Los Angeles departing Monday at 9am.',
      reference: 'Flight booked: NYC to LA, Monday departure',
    },
    answer: { reason: 'Route and day are as expected.', accuracy_score: 1 },
    value: 1,
    passed: true,
  },
}

export const agentGoalCompleteness: JudgePrompt = {
  slug: 'agent-goal-completeness',
  name: 'Agent goal completeness',
  description: 'Share of the user’s goals that the agent reached.',
  category: 'agent',
  needs: ['messages'],
  input: trajectory,
  instructions: `List for yourself every goal that the agent was given, and count those that it reached by its last step. The score is their share.
A goal that it only says it will reach is not reached.`,
  answer: [reason, share('score', 'Share of the goals that were reached.')],
  output: [
    { name: 'score', type: 'number', description: 'Share of the goals that were reached, from 0 to 1.' },
    { name: 'reason', type: 'string', description: 'Why.' },
    { name: 'success', type: 'boolean', description: 'Whether the score reaches the threshold.' },
  ],
  threshold: 0.5,
  direction: 'higher',
  example: {
    input: {
      trajectory_prompts: '["Create new account", "Set preferences", "Enable notifications"]',
      trajectory_completions: '["Account created", "Preferences saved", "Notifications enabled"]',
    },
    answer: { reason: 'All three were done.', score: 1 },
    value: 1,
    passed: true,
  },
}

export const agentToolErrorDetector: JudgePrompt = {
  slug: 'agent-tool-error-detector',
  name: 'Agent tool error detector',
  description: '1 when the tool call worked, and 0 when its input was wrong or its output tells of a failure.',
  category: 'agent',
  needs: ['tool_calls'],
  input: [
    { name: 'tool_input', title: 'Input of the tool', description: 'What the tool was called with, as JSON.' },
    { name: 'tool_output', title: 'Output of the tool', description: 'What it gave back, as JSON.' },
  ],
  instructions: `Decide whether the tool call succeeded.
It failed if the output tells of an error, a refusal, a timeout or missing permission, also in the guise of success; or if the
output plainly does not belong to the input. An empty result is no failure where nothing was to be found.`,
  answer: [reason, { name: 'success', type: 'boolean', description: 'Whether the call succeeded.' }],
  output: [
    { name: 'reason', type: 'string', description: 'Why.' },
    { name: 'success', type: 'boolean', description: 'Whether the call succeeded.' },
  ],
  threshold: 0.5,
  direction: 'higher',
  example: {
    input: {
      tool_input: '{"action": "search", "query": "flights to Paris"}',
      tool_output: '{"status": "error", "message": "upstream timed out"}',
    },
    answer: { reason: 'The output tells of a timeout.', success: false },
    value: 0,
    passed: false,
  },
}

export const agentToolSelectionQuality: JudgePrompt = {
  slug: 'agent-tool-selection-quality',
  name: 'Agent tool selection quality',
  description: '1 when the agent chose the right tools with the right arguments, 0.5 when only one of both, else 0.',
  category: 'agent',
  needs: ['messages'],
  input: [
    {
      name: 'input_messages',
      title: 'What the agent saw',
      description: 'Messages before the choice, with the tools there were, as JSON.',
    },
    { name: 'output_messages', title: 'What the agent chose', description: 'Its messages with tool calls, as JSON.' },
  ],
  instructions: `Judge twice.
Tool selection: whether the agent called the tools that its task needed, and no others; calling none is right where none was needed.
Arguments: whether the arguments of its calls are right by what it saw: complete, well formed, and not made up. Without calls they
are right if none were needed.`,
  answer: [
    { ...reason, name: 'tool_selection_reason', description: 'Which choice was right or wrong.' },
    { name: 'tool_selection', type: 'boolean', description: 'Whether the tools are right.' },
    { ...reason, name: 'correct_args_reason', description: 'Which arguments are right or wrong.' },
    { name: 'correct_args', type: 'boolean', description: 'Whether the arguments are right.' },
  ],
  output: [
    { name: 'tool_selection', type: 'boolean', description: 'Whether the tools are right.' },
    { name: 'tool_selection_reason', type: 'string', description: 'Why.' },
    { name: 'correct_args', type: 'boolean', description: 'Whether the arguments are right.' },
    { name: 'correct_args_reason', type: 'string', description: 'Why.' },
  ],
  threshold: 1,
  direction: 'higher',
  example: {
    input: {
      input_messages: '[{"role": "user", "content": "Weather in Paris?"}]',
      output_messages: '[{"role": "assistant", "tool_calls": [{"name": "weather", "arguments": {"city": "Lyon"}}]}]',
    },
    answer: {
      tool_selection_reason: 'The weather was asked for.',
      tool_selection: true,
      correct_args_reason: 'Lyon is not Paris.',
      correct_args: false,
    },
    value: 0.5,
    passed: false,
  },
}

export const actionAdvancement: JudgePrompt = {
  slug: 'action-advancement',
  name: 'Action advancement',
  description: '1 when the assistant’s last turn brings the user nearer to a goal, and 0 when it does not.',
  category: 'agent',
  needs: ['messages'],
  input: [{ name: 'messages', title: 'Conversation', description: 'The messages, as JSON.' }],
  instructions: `Decide whether the assistant's last turn brings the user nearer to at least one of their goals: it answers, asks for what
is needed, does a step, or says truthfully that it is done. It does not if it repeats itself, evades, contradicts the facts of the
conversation, or does something else.`,
  answer: [reason, { name: 'pass', type: 'boolean', description: 'Whether it brings the user nearer to a goal.' }],
  output: [
    { name: 'pass', type: 'boolean', description: 'Whether it brings the user nearer to a goal.' },
    { name: 'reason', type: 'string', description: 'Why.' },
  ],
  threshold: 0.5,
  direction: 'higher',
  example: {
    input: {
      messages:
        '[{"role": "user", "content": "Cancel order 7"}, {"role": "assistant", "content": "Order 7 is cancelled."}]',
    },
    answer: { reason: 'It did what was asked.', pass: true },
    value: 1,
    passed: true,
  },
}

export const goalCompletion: JudgePrompt = {
  slug: 'goal-completion',
  name: 'Goal completion',
  description: 'How far the response, with what was done for it, reaches the goal.',
  category: 'agent',
  needs: ['query', 'response'],
  input: [
    { name: 'question', title: 'Goal', description: 'What was asked for.' },
    { name: 'response', title: 'Response', description: 'What the application answered in the end.' },
    { name: 'tool_calls', title: 'Tool calls', description: 'What it did on the way, as JSON.', required: false },
  ],
  instructions: `Decide how far the goal was reached. Count what was done and shown, not what was promised.
1: entirely. Near 0.5: in part. 0: not at all, or something else was done.`,
  answer: [reason, share('completion_score', 'How far the goal was reached.')],
  output: [{ name: 'completion_score', type: 'number', description: 'How far the goal was reached, from 0 to 1.' }],
  threshold: 0.5,
  direction: 'higher',
  example: {
    input: { question: 'Translate “rain” to French and German.', response: 'French: pluie.' },
    answer: { reason: 'The German word is missing.', completion_score: 0.5 },
    value: 0.5,
    passed: true,
  },
}

export const conversationQuality: JudgePrompt = {
  slug: 'conversation-quality',
  name: 'Conversation quality',
  description: 'How good the assistant’s part of a conversation is: tone, clarity, flow, responsiveness, transparency.',
  category: 'quality',
  needs: ['messages'],
  input: conversation,
  instructions: `Judge the assistant's part of the conversation as a whole, by five things of equal weight: tone (fitting and polite), clarity,
flow (each turn follows from the one before), responsiveness (it takes up what the user said), and transparency (it says what it
does not know or cannot do). The score is their mean, each from 0 to 1.`,
  answer: [reason, share('conversation_quality_score', 'The mean of the five.')],
  output: [{ name: 'conversation_quality_score', type: 'number', description: 'The quality, from 0 to 1.' }],
  threshold: 0.5,
  direction: 'higher',
  example: {
    input: { prompts: '["What services do you offer?"]', completions: '["Consulting, development and support."]' },
    answer: { reason: 'Clear and to the point, a little short.', conversation_quality_score: 0.9 },
    value: 0.9,
    passed: true,
  },
}

export const intentChange: JudgePrompt = {
  slug: 'intent-change',
  name: 'Intent change',
  description: '1 when the user’s intent stays the same throughout, and 0 when it changes.',
  category: 'quality',
  needs: ['messages'],
  input: conversation,
  instructions: `Decide whether the user's main intent changes in the course of the conversation: whether they come to want something else
than at first. Details, corrections and steps towards the same goal are no change.`,
  answer: [reason, { name: 'changed', type: 'boolean', description: 'Whether the intent changes.' }],
  output: [
    { name: 'score', type: 'integer', description: '1 when the intent stays, 0 when it changes.' },
    { name: 'reason', type: 'string', description: 'Why.' },
    { name: 'success', type: 'boolean', description: 'Whether the intent stays.' },
  ],
  threshold: 0.5,
  direction: 'higher',
  example: {
    input: {
      prompts: '["I want to book a hotel", "Actually, I need a flight instead"]',
      completions: '["Sure, I can help with a hotel", "No problem, let me search for flights"]',
    },
    answer: { reason: 'From a hotel to a flight.', changed: true },
    value: 0,
    passed: false,
  },
}
