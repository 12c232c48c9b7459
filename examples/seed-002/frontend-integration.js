// Connect to run progress
const ws = new WebSocket(`ws://localhost:8000/ws/runs/${runId}/progress`);

ws.onmessage = (event) => {
    const data = JSON.parse(event.data);
    if (data.event_type === 'progress') {
        updateProgressBar(data.data.completed_items / data.data.total_items);
        updateSuccessRate(data.data.success_rate);
    }
};
