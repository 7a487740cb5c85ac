/**
 * Every prompt there is, by its `prompt_id`. `{column}` stands for a column's value, `{{` and `}}` for literal
 * braces.
 */
export const promptIdToTemplate: Readonly<Record<string, string>> = {
  joke_about_topic: `Write one short, good-natured joke about {topic}.
Answer with the joke alone, in at most fifty words.`,

  sentiment_classifier: `Decide the sentiment of the text between the <text> tags towards its subject.

<text>
{input_text}
</text>

Answer with one word and nothing else: positive, negative, neutral or mixed.`,

  question_answering: `Work through the problem between the <source> tags.

<source>
{source}
</source>

First reason step by step between <thinking> tags: name what is given, what is asked, and each inference.
Then give the final answer, as short as it can be, between <answer> tags.`,
};
