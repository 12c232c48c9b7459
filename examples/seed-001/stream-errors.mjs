// Add error handling
const stopStreaming = streamClient.streamEvents(
  (event) => console.log(event),
  { modelName: 'gpt-4' }
);

// Handle connection errors
streamClient.onError = (error) => {
  console.error('Stream error:', error);
};
