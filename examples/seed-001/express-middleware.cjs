const { LLMEvalClient } = require('llm-eval-sdk');
const client = new LLMEvalClient('http://localhost:8000');

function trackLLMCall(req, res, next) {
  const originalSend = res.send;
  const startTime = Date.now();
  
  res.send = function(data) {
    // Extract LLM data from response
    if (req.body.track_llm && data.llm_response) {
      client.sendTrace({
        traceId: `express_${Date.now()}_${Math.random()}`,
        modelName: req.body.model || 'unknown',
        userQuery: req.body.query,
        aiResponse: data.llm_response,
        responseTimeMs: Date.now() - startTime,
        metadata: {
          endpoint: req.path,
          method: req.method,
          user_id: req.user?.id
        }
      }).catch(console.error);
    }
    
    originalSend.call(this, data);
  };
  
  next();
}

app.use(trackLLMCall);
